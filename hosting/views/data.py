"""Data folders of a deployment: whose there are, how large, as a file, and away with them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from common.errors import AppError
from hosting.configuration.limits import limits_of
from hosting.models import DataFolder
from hosting.store import data_folders
from hosting.views.page import Page, page_view

SHOWN_FOLDERS = 200


@page_view(managed=False, methods=("GET", "HEAD"))
def data_page(page: Page) -> HttpResponse:
    """Managers see that the folders of callers exist, and how large they are; everybody else sees their own."""
    found = data_folders.folders_of(page.actor, page.deployment).order_by("-used_at")
    return page.show(
        "data",
        "data",
        holdings=[data_folders.holding(page.actor, folder) for folder in found[:SHOWN_FOLDERS]],
        count=found.count(),
        limit_bytes=limits_of(page.deployment.limits).data_bytes,
    )


@page_view(managed=False, methods=("GET",))
def download(page: Page, key: str) -> HttpResponseBase:
    folder = data_folders.folder_get(page.actor, page.deployment, key)
    try:
        parts = data_folders.data_folder_zip(actor=page.actor, folder=folder)
    except AppError as error:
        if error.status != 503:
            raise
        messages.error(page.request, error.message)
        return page.back("data")
    return StreamingHttpResponse(parts, headers=file_headers(folder))


@page_view(managed=False, methods=("POST",))
def delete(page: Page, key: str) -> HttpResponse:
    folder = data_folders.folder_get(page.actor, page.deployment, key)
    try:
        data_folders.data_folder_delete(actor=page.actor, folder=folder)
    except AppError as error:
        if error.status == 404:
            raise
        messages.error(page.request, error.message)
    else:
        messages.success(page.request, gettext("The folder was deleted."))
    return page.back("data")


def file_headers(folder: DataFolder) -> dict[str, str]:
    name = f"{folder.deployment.owner.folded}-{folder.deployment.folded_name}-data.zip"
    return {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
