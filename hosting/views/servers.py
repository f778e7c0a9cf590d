"""Pages of all of a person's deployments, and the form that makes one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.selectors import names_owned_by
from common.errors import AppError
from common.http import add_error
from events.actors import Actor
from hosting import kinds, names, selectors
from hosting.building.making import Origin, Upload, deployment_make
from hosting.building.registry_entries import entry_find
from hosting.configuration.configuring import BadSettings
from hosting.configuration.inputs import Plain
from hosting.forms.host import HostForm
from hosting.forms.inputs import InputsForm
from hosting.kinds.declared import asked
from hosting.kinds.server_json import Chosen
from hosting.models import Deployment
from hosting.reasons import refusals_in_words
from hosting.views.page import actor_of, user_of


@never_cache
@login_required
@require_safe
def my_servers(request: HttpRequest) -> HttpResponse:
    return render(request, "hosting/my_servers.html", {"deployments": list(selectors.deployments_of(user_of(request)))})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """For an entry of the registry the form also has what the entry says that it needs, secrets included."""
    is_sent = request.method == "POST"
    given = request.POST if is_sent else request.GET
    chosen, problem = _of_registry(given.get("reference", ""))
    # Typed by hand, the entry's own fields have not been seen: then they are shown first.
    has_inputs = is_sent and given.get("entry") == given.get("reference")
    inputs = _inputs(chosen, request.POST if has_inputs else None)
    form = HostForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        owners=names_owned_by(user_of(request)),
        initial={"reference": request.GET.get("reference", "")},
    )
    if chosen is not None and not is_sent:
        form.initial["name"] = selectors.name_free(user_of(request).name, names.suggested(chosen.name))
    is_fine = is_sent and form.is_valid() and (inputs is None or (has_inputs and inputs.is_valid()))
    if problem is not None and form.is_bound:
        add_error(form, problem)
        is_fine = False
    if is_fine:
        try:
            deployment = _host(actor_of(request), form.cleaned_data, inputs)
        except BadSettings as error:
            assert inputs is not None
            inputs.add_problems(error.problems)
        except AppError as error:
            add_error(form, error)
        else:
            return redirect("hosting:deployment", deployment.owner.folded, deployment.folded_name)
    context = {"form": form, "chosen": chosen, "inputs": inputs, "problem": problem}
    return render(request, "hosting/new.html", context, status=400 if form.is_bound else 200)


def _of_registry(reference: str) -> tuple[Chosen | None, AppError | None]:
    """What an entry names to be hosted, or why it can't be."""
    if not reference.strip().startswith("registry:") or "\0" in reference:
        return None, None
    try:
        with refusals_in_words():
            parsed = kinds.parse(reference.strip())
        return entry_find(parsed).chosen, None
    except AppError as error:
        return None, error


def _inputs(chosen: Chosen | None, data: QueryDict | None) -> InputsForm | None:
    if chosen is None or not asked(chosen.declared):
        return None
    return InputsForm(data, declared=chosen.declared, plain=Plain(), is_remote=chosen.reference is None)


def _host(actor: Actor, given: dict[str, Any], inputs: InputsForm | None) -> Deployment:
    """With an entry's inputs; all is one transaction."""
    upload, owner = given.pop("source"), given.pop("owner")
    origin = Origin(
        reference=given.pop("reference"), upload=Upload(upload.name, upload.read()) if upload is not None else None
    )
    payload = inputs.payload() if inputs is not None else {}
    values = {key: value for key, value in payload.get("values", {}).items() if value}
    secrets, arguments = payload.get("secrets"), payload.get("arguments")
    return deployment_make(
        actor=actor, owner=owner.folded, origin=origin, values=values, secrets=secrets, arguments=arguments, **given
    )
