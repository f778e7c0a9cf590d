"""Images: the label `io.modelcontextprotocol.server.name` in their configuration. Public images only.

OCI distribution 1.1 and Docker's token authentication: an anonymous token is asked for where the registry says so. What
is read by its digest must have it, so that no mirror can say something else.
"""

from __future__ import annotations

import hashlib
import re
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec
from django.utils.translation import gettext

from common.outbound import Answer
from registry.ownership import oci_reference
from registry.ownership.errors import OwnershipUnknown, OwnershipUnproven
from registry.ownership.oci_reference import Reference
from registry.ownership.package import Index, Package

LABEL = "io.modelcontextprotocol.server.name"
SECONDS = 30.0
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_USUAL = ("linux", "amd64")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
T = TypeVar("T", bound=msgspec.Struct)


class _Platform(msgspec.Struct):
    architecture: str = ""
    os: str = ""


class _Descriptor(msgspec.Struct):
    digest: str
    platform: _Platform | None = None


class _Manifest(msgspec.Struct):
    """An index has `manifests`, an image `config`."""

    manifests: list[_Descriptor] | None = None
    config: _Descriptor | None = None


class _Inner(msgspec.Struct):
    labels: dict[str, str] | None = msgspec.field(name="Labels", default=None)


class _Config(msgspec.Struct):
    config: _Inner | None = None


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


def check(package: Package, server: str, index: Index) -> None:
    """Raises OwnershipUnproven, OwnershipUnknown."""
    reference = oci_reference.parse(package.identifier)
    registry = _Registry(reference, package, index)
    manifest = registry.manifest(reference.wanted)
    if manifest.manifests is not None:
        manifest = registry.manifest(_for_servers(manifest.manifests, package).digest)
    if manifest.config is None:
        raise OwnershipUnproven(gettext("%(package)s is no image.") % {"package": package})
    config = registry.config(manifest.config.digest)
    found = ((config.config and config.config.labels) or {}).get(LABEL)
    if found is None:
        raise OwnershipUnproven(
            gettext(
                "The %(package)s has no label that names its server. Add to its Dockerfile: LABEL "
                '%(label)s="%(server)s"'
            )
            % {"package": package, "label": LABEL, "server": server}
        )
    if found != server:
        raise OwnershipUnproven(
            gettext("The %(package)s belongs to %(found)s by its label %(label)s, not to %(server)s.")
            % {"package": package, "found": found[:200], "label": LABEL, "server": server}
        )


def _for_servers(listed: list[_Descriptor], package: Package) -> _Descriptor:
    """The image for linux/amd64, or else the first that is for a machine: attestations are listed among them."""
    real = [each for each in listed if each.platform is None or each.platform.os not in ("", "unknown")]
    if not real:
        raise OwnershipUnproven(gettext("%(package)s lists no image.") % {"package": package})
    usual = (each for each in real if each.platform and (each.platform.os, each.platform.architecture) == _USUAL)
    return next(usual, real[0])


class _Registry:
    """One registry, for one image. The token is asked for at most once."""

    def __init__(self, reference: Reference, package: Package, index: Index) -> None:
        self._reference, self._package, self._index = reference, package, index
        self._token: str | None = None

    def manifest(self, wanted: str) -> _Manifest:
        accept = {"Accept": ", ".join((*_INDEXES, *_MANIFESTS))}
        answer = self._get(f"{self._reference.api}/manifests/{wanted}", accept)
        if wanted.startswith("sha256:"):
            self._check_digest(answer, wanted)
        return self._decode(answer, _Manifest)

    def config(self, digest: str) -> _Config:
        if not _DIGEST.fullmatch(digest):
            raise OwnershipUnproven(gettext("The manifest of %(package)s can't be read.") % {"package": self._package})
        answer = self._get(f"{self._reference.api}/blobs/{digest}", {})
        self._check_digest(answer, digest)
        return self._decode(answer, _Config)

    def _get(self, url: str, headers: dict[str, str]) -> Answer:
        answer = self._index.get(url, headers=self._with_token(headers))
        if answer.status == 401 and self._token is None:
            self._token = self._new_token(answer.headers.get("www-authenticate", ""))
            answer = self._index.get(url, headers=self._with_token(headers))
        if answer.status in (401, 403):
            raise OwnershipUnproven(
                gettext("The %(package)s is private; only public images can be checked.") % {"package": self._package}
            )
        if answer.status != 200:
            raise OwnershipUnproven(
                gettext("There is no %(package)s (status %(status)s).")
                % {"package": self._package, "status": answer.status}
            )
        return answer

    def _with_token(self, headers: dict[str, str]) -> dict[str, str]:
        return {**headers, "Authorization": f"Bearer {self._token}"} if self._token else headers

    def _new_token(self, challenge: str) -> str:
        """From where the registry sends us, for pulling this image and nothing else."""
        scheme, _, rest = challenge.partition(" ")
        said = dict(_CHALLENGE.findall(rest))
        realm = said.get("realm", "")
        if scheme.lower() != "bearer" or urlsplit(realm).scheme != "https":
            raise OwnershipUnproven(
                gettext("The %(package)s is private; only public images can be checked.") % {"package": self._package}
            )
        query = {"scope": f"repository:{self._reference.path}:pull"}
        if service := said.get("service"):
            query["service"] = service
        answer = self._index.get(f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}")
        if answer.status != 200:
            raise OwnershipUnproven(
                gettext("The %(package)s is private; only public images can be checked.") % {"package": self._package}
            )
        found = self._decode(answer, _Token)
        token = found.token or found.access_token
        if not token or not token.isascii() or not token.isprintable():
            raise OwnershipUnknown(gettext("The registry of %(package)s gave no token.") % {"package": self._package})
        return token

    def _check_digest(self, answer: Answer, digest: str) -> None:
        if f"sha256:{hashlib.sha256(answer.content).hexdigest()}" != digest:
            raise OwnershipUnproven(
                gettext("The registry of %(package)s answered with something of another digest.")
                % {"package": self._package}
            )

    def _decode(self, answer: Answer, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OwnershipUnproven(
                gettext("What the registry of %(package)s answered can't be read.") % {"package": self._package}
            ) from error
