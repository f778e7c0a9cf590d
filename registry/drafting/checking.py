"""What is wrong with a draft, as publishing would find it, each beside the field that can mend it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.server_json import validation
from registry.server_json.names import is_name
from registry.server_json.package_rules import Indexes

_FIELDS = {
    "name": ("name", "Name"),
    "title": ("title", "Title"),
    "description": ("description", "Description"),
    "version": ("version", "Version"),
    "websiteUrl": ("website", "Website"),
    "repository": ("repository", "Source repository"),
    "repository.url": ("repository", "Source repository"),
    "repository.subfolder": ("subfolder", "Folder in the repository"),
    "packages[0]": ("package", "Package"),
    "packages[0].identifier": ("identifier", "Name of the package"),
    "packages[0].version": ("package_version", "Version of the package"),
    "packages[0].fileSha256": ("file_sha256", "SHA-256 of the bundle"),
    "packages[0].transport": ("package", "Package"),
    "remotes[0]": ("remote", "Remote server"),
    "remotes[0].url": ("remote_url", "Address of the remote"),
}
_NEEDED = {
    "name": "Write a name.",
    "description": "Say what it does.",
    "version": "Name a version, such as 1.0.0.",
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
    found = [Wrong(name, _FIELDS[name][1], words) for name, words in _NEEDED.items() if not document.get(name)]
    if document.get("name") and not is_name(document["name"]):
        found.append(Wrong("name", "Name", "Write a namespace, one slash and a name: org.example/weather."))
    if not document.get("packages") and not document.get("remotes"):
        found.append(Wrong("package", "Package", "Name a package or a remote server, or nobody can use it."))
    # What is not there yet, or only begun, must not hide what else is wrong.
    instead = {name: words for name, words in _INSTEAD.items() if not document.get(name)}
    if not is_name(document.get("name", "")):
        instead["name"] = _INSTEAD["name"]
    document = {**document, **instead}
    breaches = validation.binding(document)
    said = [(one.path, one.message, True) for one in breaches]
    if not breaches:
        said = [(one.path, one.message, one.is_error) for one in validation.all_issues(document, indexes)]
    for path, message, is_error in said:
        field, label = _FIELDS.get(path, ("", path))
        if not field or all(one.field != field for one in found):
            found.append(Wrong(field, label, _sentence(message), is_error))
    order = [field for field, _ in _FIELDS.values()]
    return sorted(found, key=lambda one: order.index(one.field) if one.field else len(order))


def _sentence(words: str) -> str:
    words = words.strip()
    return words if words.endswith((".", "?", "!")) else f"{words}."
