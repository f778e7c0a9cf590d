"""Each package and remote of a server.json as a way to run it: the exact command, or the address. Pure.

A document is a stranger's. Names and versions that their index would not take, and texts with characters that could not
be seen, give no command at all, with the reason; what a command would open on the machine is told beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from registry.install.seen import is_plain, is_web_address
from registry.install.settings import Setting, Text, all_settings, setting, template, text_of

MAX_WAYS = 20
MAX_PARTS = 200
MAX_COMMAND = 20_000  # characters
_NAMES = {
    "npm": re.compile(r"(?:@[A-Za-z0-9~][\w.~-]*/)?[A-Za-z0-9~][\w.~-]*", re.ASCII),
    "pypi": re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", re.ASCII),
    "nuget": re.compile(r"[A-Za-z0-9_][\w.-]*", re.ASCII),
    "cargo": re.compile(r"[A-Za-z][\w-]*", re.ASCII),
    "oci": re.compile(r"[a-z0-9][a-z0-9._:/-]*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?", re.ASCII),
}
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_!-]{0,254}", re.ASCII)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_OWN_INDEX = {
    "npm": ("https://registry.npmjs.org",),
    "pypi": ("https://pypi.org", "https://pypi.org/simple"),
    "nuget": ("https://api.nuget.org/v3/index.json", "https://api.nuget.org"),
    "cargo": ("https://crates.io",),
}
_LABELS = {
    "npm": gettext_lazy("npm package"), "pypi": gettext_lazy("PyPI package"), "nuget": gettext_lazy("NuGet package"),
    "cargo": gettext_lazy("Cargo crate"), "oci": gettext_lazy("Container image"), "mcpb": gettext_lazy("MCP bundle"),
}  # fmt: skip
_NEEDS = {
    "npm": "Node.js", "pypi": "uv", "nuget": gettext_lazy("the .NET SDK (10 or later)"),
    "cargo": gettext_lazy("Rust and Cargo"), "oci": "Docker",
    "mcpb": gettext_lazy("an application that opens bundles, such as Claude Desktop"),
}  # fmt: skip
_OPENING = {"-v", "--volume", "--mount", "--privileged", "--cap-add", "--device", "--pid", "--ipc", "--userns",
            "--security-opt"}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """`kind` is a package's registry type, or "remote". `refusal` says why there is nothing to run or connect to."""

    kind: str
    label: str
    title: str
    transport: str = "stdio"
    command: tuple[Text, ...] = ()
    environment: tuple[tuple[str, Text], ...] = ()
    url: Text = Text(())
    headers: tuple[tuple[str, Text], ...] = ()
    optional: tuple[Setting, ...] = ()
    needs: str = ""
    warnings: tuple[str, ...] = ()
    refusal: str = ""
    file_sha256: str = ""
    address: str = ""

    @property
    def is_remote(self) -> bool:
        return self.kind == "remote"

    @property
    def is_local(self) -> bool:
        """Whether it runs somebody's code on the reader's machine."""
        return not self.is_remote

    @property
    def settings(self) -> list[Setting]:
        texts = [*self.command, *(text for _, text in self.environment), self.url, *(text for _, text in self.headers)]
        return all_settings(texts)

    @property
    def has_secrets(self) -> bool:
        return any(one.is_secret for one in self.settings)


def ways(document: Any) -> list[Way]:
    """Packages first, in the document's order."""
    if not isinstance(document, Mapping):
        return []
    found = [_package(one) for one in _objects(document.get("packages"))]
    return [*found, *(_remote(one) for one in _objects(document.get("remotes")))][:MAX_WAYS]


def server_name(name: str) -> str:
    """What a client calls it: the part after the slash, as all of them take it."""
    part = re.sub(r"[^A-Za-z0-9_-]+", "-", name.rpartition("/")[2]).strip("-_")
    return part[:60] or "server"


def _package(one: Mapping[str, Any]) -> Way:
    kind, identifier = _string(one, "registryType"), _string(one, "identifier")
    label = str(_LABELS.get(kind) or gettext("Package of “%(kind)s”") % {"kind": kind[:40]})
    transport = one.get("transport")
    transport = transport if isinstance(transport, Mapping) else {}
    speaks = _string(transport, "type") or "stdio"
    if kind == "mcpb":
        return _bundle(one, label, identifier)
    refusal = _refusal(one, kind, identifier)
    command = () if refusal else tuple(_command(one, kind, identifier))
    environment = tuple(_pairs(one.get("environmentVariables"), "environment", _ENV_NAME))
    texts = [*command, *(text for _, text in environment)]
    fixed = [part for text in texts for part in text.parts if isinstance(part, str)]
    if not refusal and (refusal := _unreadable(one, fixed)):
        command, environment = (), ()
    return Way(
        kind=kind,
        label=label,
        title=identifier[:200],
        transport=speaks,
        command=command,
        environment=environment,
        url=template(_string(transport, "url"), transport.get("variables"), "variable", implied=True)
        if speaks != "stdio"
        else Text(()),
        optional=tuple(_optional(one)),
        needs=str(_NEEDS.get(kind, "")),
        warnings=tuple(_warnings(kind, command)),
        refusal=refusal,
    )


def _refusal(one: Mapping[str, Any], kind: str, identifier: str) -> str:
    if kind not in _NAMES:
        return gettext("This kind of package is not known here, so there is no command for it.")
    if not _NAMES[kind].fullmatch(identifier) or len(identifier) > 400:
        words = gettext("Its identifier can't be the name of a %(kind)s, so there is no command for it.")
        return words % {"kind": _LABELS[kind]}
    version = _string(one, "version")
    if version and not _VERSION.fullmatch(version):
        return gettext("Its version can't be one, so there is no command for it.")
    base = _string(one, "registryBaseUrl").rstrip("/")
    if base and kind in _OWN_INDEX and base not in _OWN_INDEX[kind]:
        words = gettext("It comes from another index (%(index)s), which clients don't ask unless you tell them to.")
        return words % {"index": base[:200]}
    return ""


def _unreadable(one: Mapping[str, Any], fixed: Sequence[str]) -> str:
    """Why nobody could judge the command by reading it. Cut short it would be another one, so there is none then."""
    lists = (one.get(member) for member in ("runtimeArguments", "packageArguments", "environmentVariables"))
    if sum(map(len, fixed)) > MAX_COMMAND or any(isinstance(found, list) and len(found) > MAX_PARTS for found in lists):
        return gettext("Its command is too long for anybody to read, so there is none here.")
    return "" if all(map(is_plain, fixed)) else _unseen()


def _command(one: Mapping[str, Any], kind: str, identifier: str) -> Iterator[Text]:
    version = _string(one, "version")
    before, after = list(_arguments(one, "runtimeArguments")), list(_arguments(one, "packageArguments"))
    fixed = [text.parts[0] for text in before if text.is_fixed and text.parts]
    named = f"{identifier}@{version}" if version and version != "latest" else identifier
    if kind == "npm":
        yield from _texts("npx", *([] if {"-y", "--yes"} & set(fixed) else ["-y"]))
    elif kind == "pypi":
        yield from _texts("uvx")
    elif kind == "nuget":
        yield from _texts("dnx")
    elif kind == "cargo":
        yield from _texts(identifier)
    elif kind == "oci":
        named = f"{identifier}:{version}" if version and ":" not in identifier.rpartition("/")[2] else identifier
        yield from _texts("docker", "run", *([] if "-i" in fixed else ["-i"]), *([] if "--rm" in fixed else ["--rm"]))
        given = {part for part in fixed if isinstance(part, str)}
        for name, _ in _pairs(one.get("environmentVariables"), "environment", _ENV_NAME):
            if name not in given:
                yield from _texts("-e", name)
    yield from before
    if kind != "cargo":
        yield Text.of(named)
    if kind == "nuget":
        yield from _texts("--yes", *(["--"] if after else []))
    yield from after


def _arguments(one: Mapping[str, Any], member: str) -> Iterator[Text]:
    for argument in _objects(one.get(member)):
        name = _string(argument, "name") if argument.get("type") != "positional" else ""
        value = text_of(argument, name or _string(argument, "valueHint") or "argument", "argument")
        if not name:
            if value is not None:
                yield value
        elif value is None:
            if not any(argument.get(key) for key in ("description", "valueHint", "format", "choices", "placeholder")):
                yield Text.of(name)  # a flag
        elif name.endswith("="):
            yield Text.of(name, *value.parts)
        else:
            yield Text.of(name)
            yield value


def _remote(one: Mapping[str, Any]) -> Way:
    url, speaks = _string(one, "url"), _string(one, "type")
    headers = tuple(_pairs(one.get("headers"), "header", _HEADER_NAME))
    address = template(url, one.get("variables"), "variable", implied=True)
    refusal = ""
    if not is_web_address(address.filled(lambda _: "1"), only_https=False):
        refusal = gettext("Its address is none that a client could connect to.")
    fixed = [part for _, text in headers for part in text.parts if isinstance(part, str)]
    if not all(is_plain(part) for part in [url, *fixed]):
        refusal = _unseen()
    host = url.partition("://")[2].partition("/")[0]
    warnings = [gettext("It is reached without encryption.")] if not refusal and url.startswith("http://") else []
    return Way(
        kind="remote",
        label=gettext("Remote server"),
        title=host if host and not refusal else url[:200],
        transport=speaks,
        url=address if not refusal else Text(()),
        headers=headers if not refusal else (),
        optional=tuple(_unset(one.get("headers"), "header")),
        warnings=tuple(warnings),
        refusal=refusal,
    )


def _bundle(one: Mapping[str, Any], label: str, url: str) -> Way:
    is_fine = is_web_address(url) and is_plain(url)
    return Way(
        kind="mcpb",
        label=label,
        title=url.rpartition("/")[2][:200] or label,
        needs=str(_NEEDS["mcpb"]),
        refusal="" if is_fine else gettext("Its address is none that could be fetched."),
        file_sha256=_string(one, "fileSha256") if re.fullmatch(r"[0-9a-f]{64}", _string(one, "fileSha256")) else "",
        address=url if is_fine else "",
    )


def _warnings(kind: str, command: Sequence[Text]) -> Iterator[str]:
    if kind != "oci":
        return
    words = [str(part) for text in command for part in text.parts[:1]]
    opened = [word for word in words if word.partition("=")[0] in _OPENING]
    if "--privileged" in opened:
        yield gettext("The container gets the rights of this machine (--privileged).")
    if any(word.partition("=")[0] in ("-v", "--volume", "--mount") for word in opened):
        yield gettext("The container gets folders of this machine: read the command to see which.")
    if any(word in ("--network=host", "--net=host") for word in words) or ("--network" in words and "host" in words):
        yield gettext("The container shares this machine's network (--network host).")


def _pairs(value: Any, where: str, grammar: re.Pattern[str]) -> Iterator[tuple[str, Text]]:
    for one in _objects(value):
        name = _string(one, "name")
        if grammar.fullmatch(name) and (text := text_of(one, name, where)) is not None:
            yield name, text


def _unset(value: Any, where: str) -> Iterator[Setting]:
    for one in _objects(value):
        name = _string(one, "name") or _string(one, "valueHint")
        if name and text_of(one, name, where) is None:
            yield setting(one, name, where)


def _optional(one: Mapping[str, Any]) -> Iterator[Setting]:
    yield from _unset(one.get("environmentVariables"), "environment")
    yield from _unset(one.get("runtimeArguments"), "argument")
    yield from _unset(one.get("packageArguments"), "argument")


def _unseen() -> str:
    return gettext("It has characters that can't be seen, so there is no command for it.")


def _texts(*words: str) -> list[Text]:
    return [Text.of(word) for word in words]


def _string(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name)
    return found if isinstance(found, str) else ""


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value[:MAX_PARTS] if isinstance(one, Mapping)] if isinstance(value, list) else []
