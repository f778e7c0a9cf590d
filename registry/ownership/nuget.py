"""NuGet: the marker in the README of that version. The service index (base) says where READMEs lie."""

from __future__ import annotations

import re

import msgspec
from django.utils.translation import gettext

from registry.ownership.errors import OwnershipUnknown, OwnershipUnproven
from registry.ownership.markers import is_named
from registry.ownership.package import Index, Package, text_of, unmarked

README = "ReadmeUriTemplate/6.13.0"
CONTENT = "PackageBaseAddress/3.0.0"
_NAME = re.compile(r"[A-Za-z0-9_]+(?:[._-][A-Za-z0-9_]+)*", re.ASCII)


class _Resource(msgspec.Struct):
    id: str = msgspec.field(name="@id")
    type: str | list[str] = msgspec.field(name="@type")


class _Services(msgspec.Struct):
    resources: list[_Resource]


class _Versions(msgspec.Struct):
    versions: list[str]


def check(package: Package, server: str, index: Index) -> None:
    """Raises OwnershipUnproven, OwnershipUnknown."""
    package.check_identifier(_NAME)
    services = index.get_json(package.base, _Services, "The NuGet index has no service index.")
    name = package.identifier.lower()
    version = package.version.lower().partition("+")[0]  # build metadata is no part of a package's address
    template = _resource(services, README)
    answer = index.get(template.replace("{lower_id}", name).replace("{lower_version}", version))
    if answer.status == 200:
        if not is_named(text_of(answer), server):
            raise unmarked(package, server, "README")
        return
    address = _resource(services, CONTENT).rstrip("/")
    found = index.get_json(f"{address}/{name}/index.json", _Versions, package.missing)
    if version not in (each.lower() for each in found.versions):
        raise OwnershipUnproven(
            gettext("There is no %(package)s. New versions take NuGet some time to validate.") % {"package": package}
        )
    raise unmarked(package, server, gettext("README, which it lacks so far"))


def _resource(services: _Services, kind: str) -> str:
    for each in services.resources:
        if kind == each.type or (isinstance(each.type, list) and kind in each.type):
            return each.id
    raise OwnershipUnknown(gettext("The NuGet index does not offer %(kind)s.") % {"kind": kind})
