"""What pages read of the registry: one server, its versions, one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils.translation import gettext

from common.errors import NotFound
from registry.images.addresses import icon_address
from registry.models import Readme, SearchEntry, SeenServer, Server, ServerVersion
from registry.search import facets
from registry.search.entries import Known, references_of
from registry.search.indexing import known_of
from registry.server_json.reading import Document, read

VERSIONS_SHOWN = 100
CATALOG_ENTRIES = 1000


@dataclass(frozen=True)
class Shown:
    """A server with one version of it. `latest` is empty when all versions are deleted."""

    server: Server
    version: ServerVersion
    latest: str

    @property
    def document(self) -> dict[str, Any]:
        return self.version.server_json

    @property
    def is_latest(self) -> bool:
        return self.version.version == self.latest

    @property
    def reading(self) -> Document:
        return read(self.document)


def server_shown(name: str, version: str = "") -> Shown:
    """Of the latest version, or of this one. Raises NotFound."""
    if "\0" in name or "\0" in version:
        raise _unknown()
    versions = ServerVersion.objects.select_related("server", "server__upstream").filter(name=name)
    latest = versions.filter(is_latest=True).first()
    if version and (latest is None or latest.version != version):
        found = versions.filter(version=version).first()
    else:
        found = latest or versions.order_by("-id").first()
    if found is None:
        raise _unknown(version)
    return Shown(found.server, found, latest.version if latest else "")


def versions_of(server: Server, start: int = 0) -> Sequence[ServerVersion]:
    """Newest first, without their documents; one more than are shown at once."""
    found = ServerVersion.objects.filter(server=server).defer("document", "remote_keys", "marks")
    return list(found.order_by("-published_at", "-id")[start : start + VERSIONS_SHOWN + 1])


def versions_count(server: Server) -> int:
    """As the index has it, which is one row."""
    return SearchEntry.objects.filter(pk=server.pk).values_list("versions", flat=True).first() or 0


def version_names(server: Server) -> list[str]:
    """Newest first, the newest few hundred."""
    found = ServerVersion.objects.filter(server=server).order_by("-published_at", "-id")
    return list(found.values_list("version", flat=True)[:500])


def document_of(server: Server, version: str) -> dict[str, Any] | None:
    found = ServerVersion.objects.filter(server=server, version=version).first() if "\0" not in version else None
    return found.server_json if found else None


def known_here(document: Document) -> Known:
    """What was learned by running it on this site."""
    return known_of(SeenServer.objects.filter(reference__in=references_of(document)))


def readme_of(server: Server) -> Readme | None:
    """What was fetched for its latest version, or for the one before while that is fetched."""
    return Readme.objects.filter(server=server).defer("text").first()


def readme_image_address(name: str, key: str) -> str:
    """Which picture of this server's README has that key; "" for none. Raises NotFound."""
    found = (
        Readme.objects.filter(server__name=name, server__taken_down_at=None).values_list("images", flat=True).first()
    )
    if found is None:
        raise _unknown()
    address = found.get(key)
    return address if isinstance(address, str) else ""


def icon_address_of(name: str) -> str:
    """Of the latest version; "" where it has none that is shown. Raises NotFound."""
    shown = server_shown(name)
    if shown.server.taken_down_at is not None:
        raise _unknown()
    return icon_address(shown.reading)


def names_with_remotes() -> list[str]:
    """Of servers that were published here and run at an address, changed last first."""
    bits = facets.BY_NAME["runs"].mask(["remote"])
    found = SearchEntry.objects.filter(server__is_local=True, status="active")
    found = found.annotate(remote=F("facets").bitand(bits)).filter(remote__gt=0)
    return list(found.order_by("-updated_at", "name").values_list("name", flat=True)[:CATALOG_ENTRIES])


def look_alikes(server: Server) -> list[str]:
    """Other names that look like this one."""
    mine = SearchEntry.objects.filter(pk=server.pk).values("skeleton")[:1]
    found = SearchEntry.objects.filter(skeleton=mine).exclude(pk=server.pk).exclude(status="deleted")
    return list(found.order_by("published_at").values_list("name", flat=True)[:5])


def _unknown(version: str = "") -> NotFound:
    if version:
        return NotFound(
            "version_unknown", gettext("This server has no such version. Its page lists those that there are.")
        )
    return NotFound(
        "server_unknown", gettext("There is no server of this name in this registry. Search for a part of the name.")
    )
