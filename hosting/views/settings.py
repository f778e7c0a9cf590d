"""The pages of a deployment's settings, one for each part. A section is sent to the page that it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext

from accounts.reauthentication import confirm_url
from common.errors import AppError
from common.http import add_error
from hosting.configuration import configuring
from hosting.configuration.configuring import BadSettings
from hosting.configuration.given import declared_for
from hosting.configuration.inputs import Plain, missing
from hosting.credentials.suspension import settings_confirm, settings_suspended
from hosting.forms.inputs import InputsForm
from hosting.kinds.declared import Declared
from hosting.views.page import Page, page_view
from hosting.views.settings_sections import PARTS, SECTIONS, Section


@page_view(managed=True)
def values_page(page: Page) -> HttpResponse:
    """What the server is started with: the first page, where also old addresses of all other sections lead."""
    declared = declared_for(page.deployment)
    chosen = page.request.POST.get("section", "")
    plain = Plain.from_json(page.deployment.inputs)
    confirm = confirm_url(page.request, "inputs")
    inputs = InputsForm(
        page.request.POST if chosen == "inputs" else None,
        declared=declared,
        plain=plain,
        is_remote=page.deployment.kind == "remote",
        missing=page.request.GET.get("missing", "")[:128],
        must_confirm=bool(confirm),
    )
    if chosen == "suspended" and not confirm:
        _confirm_suspended(page)
        return page.back("settings", "inputs")
    if chosen == "inputs" and inputs.is_valid() and _save_inputs(page, inputs):
        return page.back("settings", "inputs")
    return _sections(
        page,
        "values",
        declared,
        inputs=inputs,
        confirm_url=confirm,
        suspended=settings_suspended(page.deployment),
        unset=[one.flag or one.name for one in missing(declared, {*plain.values, *plain.sealed_at})],
        named_missing=page.request.GET.get("missing", "")[:128],
    )


@page_view(managed=True)
def part_page(page: Page, part: str) -> HttpResponse:
    return _sections(page, part, declared_for(page.deployment) if part == "users" else ())


def _sections(page: Page, part: str, declared: Sequence[Declared], **context: Any) -> HttpResponse:
    """Shows the part's sections, or saves the one that was sent."""
    post = page.request.POST if page.request.method == "POST" else None
    chosen = post.get("section", "") if post is not None else ""
    found: dict[str, forms.Form] = {}
    for name in PARTS[part].sections:
        if (section := SECTIONS.get(name)) is None:  # not a form of ours
            continue
        options = section.options(page.deployment, declared)
        found[name] = section.form(post if name == chosen else None, auto_id=f"{name}_%s", **options)
    if chosen in found and found[chosen].is_valid() and _save(page, found[chosen], SECTIONS[chosen]):
        return page.back(PARTS[part].url_name, chosen)
    return page.show(
        PARTS[part].template,
        "settings",
        status=400 if post is not None else 200,
        part=PARTS[part],
        parts=PARTS.values(),
        sections=[{"name": name, "of": SECTIONS[name], "form": form} for name, form in found.items()],
        **context,
    )


def _save(page: Page, form: forms.Form, section: Section) -> bool:
    try:
        section.apply(page, form)
    except AppError as error:
        add_error(form, error)
        return False
    messages.success(page.request, section.saved)
    return True


def _confirm_suspended(page: Page) -> None:
    try:
        settings_confirm(actor=page.actor, deployment=page.deployment, mark=page.request.POST.get("mark", ""))
    except AppError as error:
        messages.error(page.request, error.message)
    else:
        messages.success(page.request, gettext("Confirmed. New instances are started with it."))


def _save_inputs(page: Page, form: InputsForm) -> bool:
    try:
        configuring.deployment_settings_set(actor=page.actor, deployment=page.deployment, **form.payload())
    except BadSettings as error:
        form.add_problems(error.problems)
        return False
    except AppError as error:
        add_error(form, error)
        return False
    messages.success(page.request, gettext("Settings saved. New instances are started with it."))
    return True
