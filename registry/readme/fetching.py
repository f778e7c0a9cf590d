"""Fetches a server's README and keeps it beside its entry, with what it was fetched for.

Asked for when a page needs one, and little by little for all others (`readmes_due`), since search reads them too. Each
host is asked through the guarded door only.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from common import clock
from common.outbound import Answer, Door, OutboundError, site_door
from registry.changes import servers_changed
from registry.images.addresses import image_address, image_key
from registry.models import Readme, ServerVersion
from registry.readme.rendering import MAX_CHARACTERS, as_html
from registry.readme.sources import Source, sources
from registry.server_json.reading import Document, read

MAX_BYTES = 8 * 1024 * 1024  # npm answers with all versions of a package
MAX_FILE_BYTES = 1024 * 1024
SECONDS = 15.0
MAX_IMAGES = 60  # of one README
LATER = timedelta(hours=6)
_MARKDOWN_NAMES = ("", "text/markdown", "text/x-markdown")


class _Npm(msgspec.Struct):
    readme: str = ""


class _Info(msgspec.Struct):
    description: str | None = None
    description_content_type: str | None = None


class _PyPI(msgspec.Struct):
    info: _Info


def readmes_due(most: int) -> list[int]:
    """Servers whose README was never fetched, or for another version, or in vain; those published here come first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.server_id FROM registry_searchentry e JOIN registry_server s ON s.id = e.server_id"
            " LEFT JOIN registry_readme r ON r.server_id = e.server_id"
            " WHERE e.status <> 'deleted' AND (r.server_id IS NULL OR r.version <> e.version OR r.again_at < %s)"
            " ORDER BY s.is_local DESC, r.server_id IS NOT NULL, e.updated_at DESC LIMIT %s",
            (clock.now(), most),
        )
        return [row[0] for row in cursor.fetchall()]


def sources_of(document: Document) -> list[Source]:
    """Where this site would look for its README; nowhere, where its document names nothing that could have one."""
    return sources(
        document, settings.REGISTRY_PACKAGE_URLS, settings.REGISTRY_GITHUB_RAW, settings.REGISTRY_GITHUB_HOSTS
    )


def readme_fetch(server_id: int, *, door: Door | None = None) -> Readme | None:
    """Blocks for some seconds. None for a server that has no version to show."""
    version = ServerVersion.objects.filter(server_id=server_id, is_latest=True).first()
    if version is None:
        return None
    asked = sources_of(read(version.server_json))
    text, html, source, was_in_vain = "", "", None, False
    images: dict[str, str] = {}
    for source in asked:
        try:
            text, is_markdown = _fetch(source, door or site_door())
        except _InVain:
            was_in_vain = True
            continue
        if text:
            here = partial(_picture, version.name, source.files, images)
            html = as_html(text, is_markdown=is_markdown, base=source.base, picture=here)
            break
    if was_in_vain and not text and _stays(server_id, version.version):
        return Readme.objects.get(pk=server_id)
    with transaction.atomic():
        kept, _ = Readme.objects.update_or_create(
            server_id=server_id,
            defaults={
                "version": version.version,
                "text": text,
                "html": html,
                "images": images,
                "source_url": source.page if text and source else "",
                "fetched_at": clock.now(),
                "again_at": clock.now() + LATER if was_in_vain and not text else None,
            },
        )
        servers_changed([server_id])
    return kept


def _stays(server_id: int, version: str) -> bool:
    """Whether there is one of this version that was fetched before: it is better than none."""
    older = Readme.objects.filter(pk=server_id, version=version).exclude(text="")
    return older.update(again_at=clock.now() + LATER) == 1


def _picture(name: str, files: str, images: dict[str, str], src: str) -> str:
    """Where this site has it, once it is asked for; `images` remembers which it is."""
    url = image_address(src, files, settings.REGISTRY_GITHUB_HOSTS)
    if not url or (len(images) >= MAX_IMAGES and image_key(url) not in images):
        return ""
    images[image_key(url)] = url
    return reverse("registry:readme_image", kwargs={"name": name, "key": image_key(url)})


class _InVain(Exception):
    """It may be there another time."""


def _fetch(source: Source, door: Door) -> tuple[str, bool]:
    """The text, "" for none, and whether it is Markdown. Raises _InVain."""
    most = MAX_FILE_BYTES if source.kind == "file" else MAX_BYTES
    try:
        answer = door.fetch_blocking(source.url, max_bytes=most, seconds=SECONDS)
    except OutboundError as error:
        raise _InVain from error
    if answer.status == 429 or answer.status >= 500:
        raise _InVain
    if answer.status != 200:
        return "", True
    try:
        text, is_markdown = _read(source, answer)
    except (OutboundError, UnicodeDecodeError):
        return "", True
    return text.replace("\0", "")[:MAX_CHARACTERS].strip(), is_markdown


def _read(source: Source, answer: Answer) -> tuple[str, bool]:
    if source.kind == "npm":
        readme = answer.json(_Npm).readme
        return ("" if readme == "ERROR: No README data found!" else readme), True
    if source.kind == "pypi":
        info: Any = answer.json(_PyPI).info
        kind = (info.description_content_type or "").partition(";")[0].strip().lower()
        text = info.description or ""
        return ("" if text == "UNKNOWN" else text), kind in _MARKDOWN_NAMES
    return answer.content.decode("utf-8", "replace"), True
