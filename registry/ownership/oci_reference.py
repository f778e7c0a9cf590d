"""References of images: `[host/]path[:tag][@sha256:digest]`, as Docker's distribution reads them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext

from registry.ownership.errors import OwnershipUnproven

DOCKER_HUB = "docker.io"
DOCKER_HUB_TOO = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_DOCKER_HUB_API = "registry-1.docker.io"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Reference:
    """`host` is docker.io for all names of Docker Hub. Of tag and digest one is there; the digest decides."""

    host: str
    path: str
    tag: str
    digest: str

    @property
    def api(self) -> str:
        """Where its registry answers."""
        return f"https://{_DOCKER_HUB_API if self.host == DOCKER_HUB else self.host}/v2/{self.path}"

    @property
    def wanted(self) -> str:
        return self.digest or self.tag


def parse(text: str) -> Reference:
    """Raises OwnershipUnproven."""
    rest, at, digest = text.partition("@")
    host, path = _host_and_path(rest)
    path, colon, tag = path.partition(":")
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    is_whole = bool(tag or digest) and (not colon or _TAG.fullmatch(tag)) and (not at or _DIGEST.fullmatch(digest))
    if not is_whole or not _HOST.fullmatch(host) or not _PATH.fullmatch(path) or len(path) > 255:
        raise OwnershipUnproven(
            gettext("“%(text)s” is no reference of an image with its tag or digest, as in ghcr.io/owner/image:1.0.0.")
            % {"text": text[:200]}
        )
    return Reference(host, path, tag, digest)


def _host_and_path(text: str) -> tuple[str, str]:
    """A first part without a dot or port is none: then the image is Docker Hub's."""
    first, slash, rest = text.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return DOCKER_HUB, text
    host = first.lower()
    return (DOCKER_HUB, rest) if host in DOCKER_HUB_TOO else (host, rest)
