"""The page of one task: how it goes, what it asks, what came of it, and its buttons. One's own tasks only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.errors import AppError, Conflict, NotFound
from common.http import add_error
from events.actors import Actor
from hosting.access.permissions import may_see
from hosting.forms.elicitation import ElicitationForm
from hosting.forms.tasks import AgainForm
from hosting.models import Task
from hosting.questions.rules import pages_of
from hosting.runner.placement import Pages
from hosting.tasks import again, answers, hiding, results, selectors, services
from hosting.tasks.questions import Question, question_of, questions_of
from hosting.tasks.shown import shown
from hosting.tasks.states import Outcome, State
from hosting.views.page import actor_of
from oauth.selectors import client_names

# Whatever a hosted server gave us is opened as data of nobody: no scripts, no origin, no guessing what it is.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Seen:
    """One task and who looks at it: its own user."""

    request: HttpRequest
    task: Task
    actor: Actor

    def back(self) -> HttpResponse:
        return redirect("tasks:task", self.task.id)


def task_view(*methods: str) -> Callable[[View], View]:
    """A view of (seen) instead of (request, task_id). Another's task is the same 404 as none."""

    def decorate(view: View) -> View:
        @never_cache
        @login_required
        @require_http_methods(list(methods))
        def wrapped(request: HttpRequest, task_id: str, **rest: Any) -> HttpResponse:
            actor = actor_of(request)
            return view(Seen(request, selectors.task_of_person(actor, task_id), actor), **rest)

        return wrapped

    return decorate


@task_view("GET", "HEAD")
def task_page(seen: Seen) -> HttpResponse:
    return _show(seen)


@task_view("POST")
def cancel(seen: Seen) -> HttpResponse:
    try:
        services.task_cancel(seen.task, "Cancelled on the site.")
    except Conflict as error:
        messages.warning(seen.request, error.message)
    return seen.back()


@task_view("POST")
def answer(seen: Seen) -> HttpResponse:
    """`key` names the question, `action` is accept, decline or cancel. What is wrong is told at its field."""
    post = seen.request.POST
    key, action = post.get("key", "")[:300], post.get("action", "")
    given = _Given()
    if key in seen.task.questions and action in ("accept", "decline", "cancel"):
        given = _read(seen, question_of(key, seen.task.questions[key], _pages(seen.task)), action)
        if given.form is not None:
            return _show(seen, 400, forms={key: given.form})
    elif action not in ("accept", "decline", "cancel"):
        messages.error(seen.request, gettext("Submit, decline or cancel: nothing was sent."))
        return seen.back()
    try:
        answers.task_answer(seen.task, key, result=given.result, error=given.error)
    except AppError as error:
        messages.warning(seen.request, error.message)
    else:
        messages.success(seen.request, gettext("Your answer was taken."))
    return seen.back()


@dataclass(frozen=True)
class _Given:
    """An answer, or the form that can't be one yet."""

    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    form: ElicitationForm | None = None


def _read(seen: Seen, question: Question, action: str) -> _Given:
    if question.kind == "client":
        return _Given(error=answers.REFUSED)
    if action != "accept":
        return _Given({"action": action})
    if question.kind == "url":
        return _Given({"action": "accept" if question.page is not None else "decline"})
    if question.approval is not None:
        return _Given({"action": "accept", "content": question.approval.content})
    form = _form(question, seen.request.POST)
    return _Given({"action": "accept", "content": form.content()}) if form.is_valid() else _Given(form=form)


@task_view("POST")
def run_again(seen: Seen) -> HttpResponse:
    form = AgainForm(seen.request.POST, arguments={})
    if form.is_valid():
        try:
            task = again.task_again_by(actor=seen.actor, task=seen.task, arguments=form.cleaned_data["arguments"])
        except AppError as error:
            add_error(form, error)
        else:
            return redirect("tasks:task", task.id)
    return _show(seen, 400, again_form=form)


@task_view("GET", "HEAD")
def result(seen: Seen) -> HttpResponse:
    """The whole result as a file."""
    body = selectors.result_of(seen.task)
    if not body:
        raise NotFound("result_unknown", gettext("This task has no result."))
    return _file(body, "application/json", f"task-{seen.task.id[:8]}.json")


@task_view("GET", "HEAD")
def content(seen: Seen, number: int) -> HttpResponse:
    """One image, recording or file of the result."""
    found = results.content_of(selectors.result_of(seen.task), number)
    if found is None:
        raise NotFound("content_unknown", gettext("This result has no such part."))
    body, kind = found
    is_shown = kind in results.IMAGES | results.AUDIO
    return _file(body, kind, "" if is_shown else f"task-{seen.task.id[:8]}-{number}")


def _file(body: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    if name:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- the page


def _show(
    seen: Seen,
    status: int = 200,
    *,
    forms: Mapping[str, ElicitationForm] | None = None,
    again_form: AgainForm | None = None,
) -> HttpResponse:
    task, bound = seen.task, forms or {}
    version = task.version
    arguments = hiding.hidden(again.arguments_of(task), _schema(task))
    lines = selectors.lines_of(task)
    can_open = may_see(seen.actor, task.deployment)
    return render(
        seen.request,
        "tasks/task.html",
        {
            "shown": shown(task, client_names({task.client})),
            "task": task,
            "deployment": task.deployment if can_open else None,
            "server": task.deployment.label,
            "version": version,
            "questions": [
                {"question": each, "form": bound.get(each.key) or (_form(each) if each.kind == "form" else None)}
                for each in questions_of(task.questions if task.state != State.LACKING else {}, _pages(task))
            ],
            "lines": lines,
            "position": selectors.position_of(lines[-1]) if lines else "",
            "arguments": arguments,
            "result": results.shown_of(selectors.result_of(task), is_error=task.outcome == Outcome.ERROR),
            "again_form": again_form or AgainForm(arguments=arguments),
        },
        status=status,
    )


def _pages(task: Task) -> Pages:
    version = task.version
    return pages_of(task.deployment, str((version.remote or {}).get("url", "")) if version is not None else "")


def _form(question: Question, data: Any = None) -> ElicitationForm:
    return ElicitationForm(question.schema, data, prefix=f"question-{question.key}")


def _schema(task: Task) -> Any:
    """The tool's own schema for its arguments, which may say that some are secret."""
    tools = task.version.tools if task.version is not None else None
    return next((each.get("inputSchema") for each in tools or [] if each.get("name") == task.tool), None)
