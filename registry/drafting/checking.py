"""What is wrong with a draft, as publishing would find it, each beside the field that can mend it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from registry.server_json import validation
from registry.server_json.names import is_name
from registry.server_json.package_rules import Indexes

_FIELDS = {
    "name": ("name", gettext_lazy("Name")),
    "title": ("title", gettext_lazy("Title")),
    "description": ("description", gettext_lazy("Description")),
    "version": ("version", gettext_lazy("Version")),
    "websiteUrl": ("website", gettext_lazy("Website")),
    "repository": ("repository", gettext_lazy("Source repository")),
    "repository.url": ("repository", gettext_lazy("Source repository")),
    "repository.subfolder": ("subfolder", gettext_lazy("Folder in the repository")),
    "packages[0]": ("package", gettext_lazy("Package")),
    "packages[0].identifier": ("identifier", gettext_lazy("Name of the package")),
    "packages[0].version": ("package_version", gettext_lazy("Version of the package")),
    "packages[0].fileSha256": ("file_sha256", gettext_lazy("SHA-256 of the bundle")),
    "packages[0].transport": ("package", gettext_lazy("Package")),
    "remotes[0]": ("remote", gettext_lazy("Remote server")),
    "remotes[0].url": ("remote_url", gettext_lazy("Address of the remote")),
}
_NEEDED = {
    "name": gettext_lazy("Write a name."),
    "description": gettext_lazy("Say what it does."),
    "version": gettext_lazy("Name a version, such as 1.0.0."),
}
# For what the schema says of these, which is about lengths and patterns.
_PLAINER = {
    "packages[0].identifier": gettext_lazy("Write its name there."),
    "packages[0].fileSha256": gettext_lazy("Give 64 hexadecimal digits (0–9, a–f), as sha256sum prints them."),
}
_INSTEAD = {"name": "org.example/name", "description": "What it does", "version": "1.0.0"}


@dataclass(frozen=True)
class Wrong:
    """`field` is the form's, "" where none can be named."""

    field: str
    label: str
    message: str
    is_error: bool = True


def wrongs(document: dict[str, Any], indexes: Indexes | None) -> list[Wrong]:
    """The first of each field, in the order of the form; empty when it could be published."""
    found = [
        Wrong(name, str(_FIELDS[name][1]), str(words)) for name, words in _NEEDED.items() if not document.get(name)
    ]
    if document.get("name") and not is_name(document["name"]):
        found.append(
            Wrong("name", gettext("Name"), gettext("Write a namespace, one slash and a name: org.example/weather."))
        )
    if not document.get("packages") and not document.get("remotes"):
        found.append(
            Wrong("package", gettext("Package"), gettext("Name a package or a remote server, or nobody can use it."))
        )
    # What is not there yet, or only begun, must not hide what else is wrong.
    instead = {name: words for name, words in _INSTEAD.items() if not document.get(name)}
    if not is_name(document.get("name", "")):
        instead["name"] = _INSTEAD["name"]
    document = {**document, **instead}
    breaches = validation.binding(document)
    said = [(one.path, str(_PLAINER.get(one.path, one.message)), True) for one in breaches]
    if not breaches:
        said = [(one.path, one.message, one.is_error) for one in validation.all_issues(document, indexes)]
    for path, message, is_error in said:
        field, label = _FIELDS.get(path, ("", path))
        if not field or all(one.field != field for one in found):
            found.append(Wrong(field, str(label), _sentence(message), is_error))
    order = [field for field, _ in _FIELDS.values()]
    return sorted(found, key=lambda one: order.index(one.field) if one.field else len(order))


def _sentence(words: str) -> str:
    words = words.strip()
    return words if words.endswith((".", "?", "!")) else f"{words}."
