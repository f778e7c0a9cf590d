"""The versions of a deployment: what each was made of, going back, and taking the newest again."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext

from common.errors import AppError, BadInput
from common.http import add_error
from hosting import kinds, selectors
from hosting.building import versions
from hosting.building.making import Origin, Upload, version_make
from hosting.forms.host import DeployForm
from hosting.models import DeploymentVersion
from hosting.views.page import Page, page_view


@page_view(managed=True)
def versions_page(page: Page) -> HttpResponse:
    request = page.request
    action = request.POST.get("action", "") if request.method == "POST" else ""
    if action == "roll_back":
        number = request.POST.get("number", "")
        if number.isascii() and number.isdigit() and len(number) < 9:
            words = gettext("Version %(number)s serves from now on. Sessions finish on the version they began with.")
            page.attempt(versions.deployment_rollback, words % {"number": number}, number=int(number))
        return page.back("versions")
    if action == "update":
        page.attempt(
            version_make, gettext("Resolved and built again; the present version serves meanwhile."), origin=Origin()
        )
        return page.back("versions")
    form = DeployForm(*((request.POST, request.FILES) if action == "deploy" else (None, None)))
    if action == "deploy" and form.is_valid():
        try:
            _deploy(page, form)
        except AppError as error:
            add_error(form, error)
        else:
            return page.back("versions")
    compared = selectors.versions_compared(page.deployment)
    return page.show(
        "versions",
        "versions",
        status=400 if form.is_bound else 200,
        form=form,
        versions=[{"version": version, "same_as": same_as} for version, same_as in compared],
        update_words=_update_words(compared[0][0]) if compared else gettext("Build again"),
        deployed_by=selectors.deployed_by(page.deployment),
    )


def _update_words(newest: DeploymentVersion) -> str:
    """What resolving the same reference again may bring."""
    if newest.registry_name:
        return gettext("Update to the registry's newest")
    try:
        found = kinds.parse(newest.reference)
    except BadInput:  # of a kind that is no longer hosted
        return gettext("Build again")
    if found.kind == "remote":
        return gettext("Look at it again")
    is_pinned = (found.version or "")[:1].isdigit()  # else none, or a tag such as "latest"
    return gettext("Update its dependencies") if is_pinned else gettext("Update to the newest release")


def _deploy(page: Page, form: DeployForm) -> None:
    upload = form.cleaned_data["source"]
    origin = Origin(
        reference=form.cleaned_data["reference"],
        upload=Upload(upload.name, upload.read()) if upload is not None else None,
    )
    version_make(actor=page.actor, deployment=page.deployment, origin=origin)
