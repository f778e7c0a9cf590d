"""Documents that must be accepted, and documents that break one rule each: what is wrong, where, and what says so."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

ADDRESS = "https://static.modelcontextprotocol.io/schemas/{}/server.schema.json"
BASE: dict[str, Any] = {
    "$schema": ADDRESS.format("2025-12-11"),
    "name": "org.example.tools/weather",
    "description": "Forecasts for any place",
    "version": "1.2.3",
}
STDIO = {"type": "stdio"}
NPM = {"registryType": "npm", "identifier": "@example/weather", "version": "1.2.3", "transport": STDIO}
OCI = {"registryType": "oci", "identifier": "ghcr.io/example/weather:1.2.3", "transport": STDIO}
BUNDLE = {
    "registryType": "mcpb",
    "identifier": "https://github.com/example/weather/releases/download/v1/weather-mcp.mcpb",
    "fileSha256": "0123456789abcdef" * 4,
    "transport": STDIO,
}
PROVIDED = "io.modelcontextprotocol.registry/publisher-provided"


def based(**changes: Any) -> dict[str, Any]:
    """BASE with members changed; None leaves one out. `schema` is `$schema`."""
    found = deepcopy(BASE)
    for name, value in changes.items():
        name = "$schema" if name == "schema" else name
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value
    return found


def package(**changes: Any) -> dict[str, Any]:
    """A document with one npm package."""
    return based(packages=[{name: value for name, value in {**NPM, **changes}.items() if value is not None}])


def argument(**members: Any) -> dict[str, Any]:
    return package(packageArguments=[members])


def remote(url: str | None, type_: str = "streamable-http", **more: Any) -> dict[str, Any]:
    return based(remotes=[{"type": type_, **({"url": url} if url else {}), **more}])


VALID: dict[str, dict[str, Any]] = {
    "least": BASE,
    "least name": based(name="ab/cd"),
    "capitals": based(name="io.github.Example/My_Server.v2"),
    "hundred characters that are not ASCII": based(description="ß" * 100),
    "not a semantic version": based(version="2026.01.02"),
    "build metadata": based(version="1.0.0-rc.1+sha.5114f85"),
    "version with a v": based(version="v2.0"),
    "an x in a word": based(version="1.0.0-x.7"),
    "empty arrays": based(packages=[], remotes=[]),
    "old schema": based(schema=ADDRESS.format("2025-09-29")),
    "older schema": based(schema=ADDRESS.format("2025-10-17")),
    "npm": package(),
    "pypi": package(registryType="pypi", identifier="weather-mcp", registryBaseUrl="https://pypi.org"),
    "nuget": package(
        registryType="nuget", identifier="Example.Weather", registryBaseUrl="https://api.nuget.org/v3/index.json"
    ),
    "cargo": package(registryType="cargo", identifier="weather-mcp"),
    "image with tag": based(packages=[OCI]),
    "image with digest": based(packages=[{**OCI, "identifier": f"docker.io/example/weather@sha256:{'0' * 64}"}]),
    "image of Docker Hub": based(packages=[{**OCI, "identifier": "example/weather:1"}]),
    "image of a region": based(packages=[{**OCI, "identifier": "europe-docker.pkg.dev/p/r/weather:1"}]),
    "bundle": based(packages=[BUNDLE]),
    "bundle at GitLab": based(
        packages=[{**BUNDLE, "identifier": "https://gitlab.com/a/b/-/releases/v1/downloads/x.mcpb"}]
    ),
    "local server over HTTP": package(
        transport={"type": "streamable-http", "url": "http://127.0.0.1:{--port}/{path}?k={KEY}"},
        packageArguments=[
            {"type": "named", "name": "--port", "default": "8080"},
            {"type": "positional", "valueHint": "path"},
        ],
        environmentVariables=[{"name": "KEY", "isSecret": True, "format": "string"}],
    ),
    "remote": remote("https://weather.example.org/mcp", headers=[{"name": "X-Key", "isRequired": True}]),
    "remote over SSE": remote("https://weather.example.org/sse", "sse"),
    "remote with a variable": remote(
        "https://{tenant}.example.org/mcp", variables={"tenant": {"description": "yours", "isRequired": True}}
    ),
    "everything": based(
        title="Weather",
        websiteUrl="https://example.org/weather?x=1#top",
        repository={
            "url": "https://github.com/example/tools",
            "source": "github",
            "subfolder": "src/weather",
            "id": "1",
        },
        icons=[
            {"src": "https://example.org/i.png", "mimeType": "image/png", "sizes": ["48x48", "any"], "theme": "dark"}
        ],
        packages=[NPM, OCI, BUNDLE],
        remotes=[{"type": "sse", "url": "https://weather.example.org/sse"}],
        _meta={PROVIDED: {"tool": "cli", "nested": {"list": [1, 2.5, None, True]}}},
    ),
    "others' metadata": based(_meta={"org.example.rating/stars": {"stars": 4.5}}),
}


@dataclass(frozen=True)
class Invalid:
    """`layer` is binding (422), issue (of /validate and of publishing) or check (of /validate; publishing: 400)."""

    document: Any
    path: str
    reference: str
    layer: str = "issue"


def unbound(document: Any, path: str, rule: str) -> Invalid:
    return Invalid(document, path, rule, "binding")


_ARGUMENT = "packages[0].packageArguments[0]"
_URL = "packages[0].transport.url"

INVALID: dict[str, Invalid] = {
    # members, types, lengths
    "an array": unbound([], "", "type"),
    "no description": unbound(based(description=None), "description", "required"),
    "no version": unbound(based(version=None), "version", "required"),
    "no name": unbound(based(name=None), "name", "required"),
    "empty description": unbound(based(description=""), "description", "minLength 1"),
    "long description": unbound(based(description="ß" * 101), "description", "maxLength 100"),
    "long title": unbound(based(title="x" * 101), "title", "maxLength 100"),
    "empty title": unbound(based(title=""), "title", "minLength 1"),
    "long version": unbound(based(version="1" * 256), "version", "maxLength 255"),
    "number for a version": unbound(based(version=1), "version", "type"),
    "NUL": unbound(based(description="a\0b"), "description", "pattern"),
    "two slashes": unbound(based(name="org.example/a/b"), "name", "pattern"),
    "no slash": unbound(based(name="example"), "name", "pattern"),
    "underscore in the namespace": unbound(based(name="my_org/server"), "name", "pattern"),
    "long name": unbound(based(name="a" * 100 + "/" + "b" * 100), "name", "maxLength 200"),
    "unknown member": unbound(based(tags=["a"]), "", "unexpected property"),
    "underscored member": unbound(
        based(packages=[{**NPM, "registry_type": "npm"}]), "packages[0]", "unexpected property"
    ),
    "status in the document": unbound(based(status="active"), "", "unexpected property"),
    "website with a space": unbound(based(websiteUrl="https://example.org/a b"), "websiteUrl", "format uri"),
    "no icon address": unbound(based(icons=[{}]), "icons[0].src", "required"),
    "kind of an icon": unbound(
        based(icons=[{"src": "https://a.b/c", "mimeType": "image/gif"}]), "icons[0].mimeType", "enum"
    ),
    "theme of an icon": unbound(based(icons=[{"src": "https://a.b/c", "theme": "red"}]), "icons[0].theme", "enum"),
    "package without transport": unbound(package(transport=None), "packages[0].transport", "required"),
    "package without identifier": unbound(package(identifier=None), "packages[0].identifier", "required"),
    "package with an odd hash": unbound(package(fileSha256="ABC"), "packages[0].fileSha256", "pattern"),
    "format of an input": unbound(
        package(environmentVariables=[{"name": "A", "format": "secret"}]),
        "packages[0].environmentVariables[0].format",
        "enum",
    ),
    "header without a name": unbound(
        remote("https://a.example.org/mcp", headers=[{"value": "x"}]), "remotes[0].headers[0].name", "required"
    ),
    "variable that is no object": unbound(
        remote("https://a.example.org/mcp", variables={"a": "b"}), "remotes[0].variables.a", "type"
    ),
    # the schema that it names
    "no schema": Invalid(based(schema=None), "schema", "schema-field-required"),
    "schema of another site": Invalid(
        based(schema="https://example.org/x.json"), "schema", "schema-version-extraction-error"
    ),
    "unknown schema": Invalid(based(schema=ADDRESS.format("2020-01-01")), "schema", "schema-version-not-available"),
    "size of an icon": Invalid(
        based(icons=[{"src": "https://a.b/c", "sizes": ["big"]}]), "icons[0].sizes[0]", "pattern"
    ),
    "kind of an argument": Invalid(argument(type="flag", value="-v"), _ARGUMENT, "anyOf"),
    "positional without value or hint": Invalid(argument(type="positional"), _ARGUMENT, "anyOf"),
    "empty repository": Invalid(based(repository={"id": "1"}), "repository", "required"),
    # names and versions
    "namespace begins with a dot": Invalid(based(name=".example/server"), "name", "invalid-server-name"),
    "name ends with a hyphen": Invalid(based(name="org.example/server-"), "name", "invalid-server-name"),
    "one character": Invalid(based(name="org.example/s"), "name", "invalid-server-name"),
    "latest": Invalid(based(version="latest"), "version", "reserved-version-string"),
    "latest package": Invalid(package(version="latest"), "packages[0].version", "reserved-version-string"),
    **{
        f"range {text}": Invalid(based(version=text), "version", "version-looks-like-range")
        for text in ("^1.2", "~1", ">=1", "<=1", ">1", "<1", "=1", "1.x", "1.2.X", "v1.*", "*", "1 - 2", "1||2")
    },
    "range of a package": Invalid(package(version="1.*"), "packages[0].version", "version-looks-like-range"),
    "title of spaces": Invalid(based(title=" \t"), "title", "title-whitespace-only"),
    # addresses
    **{
        f"repository {url}": Invalid(
            based(repository={"url": url, "source": source}), "repository.url", "invalid-repository-url"
        )
        for url, source in (
            ("https://github.com/example", "github"),
            ("https://github.com/a/b/tree/main", "github"),
            ("https://gitlab.com/a/b", "github"),
            ("https://bitbucket.org/a/b", "bitbucket"),
            ("https://github.com/a/b", ""),
        )
    },
    **{
        f"subfolder {folder}": Invalid(
            based(repository={"url": "https://github.com/a/b", "source": "github", "subfolder": folder}),
            "repository.subfolder",
            "invalid-subfolder-path",
        )
        for folder in ("/src", "src/", "../src", "a//b", "a/./b", "a b")
    },
    "website without https": Invalid(
        based(websiteUrl="http://example.org"), "websiteUrl", "website-url-invalid-scheme"
    ),
    "website with script": Invalid(based(websiteUrl="javascript:alert(1)"), "websiteUrl", "website-url-invalid-scheme"),
    "relative website": Invalid(based(websiteUrl="/docs"), "websiteUrl", "website-url-must-be-absolute"),
    "website with markup": Invalid(
        based(websiteUrl="https://example.org/<b>"), "websiteUrl", "website-url-invalid-characters"
    ),
    "icon without https": Invalid(
        based(icons=[{"src": "http://a.b/c.png"}]), "icons[0].src", "icon-src-invalid-scheme"
    ),
    "icon in the document": Invalid(
        based(icons=[{"src": "data:image/png;base64,AA=="}]), "icons[0].src", "icon-src-invalid-scheme"
    ),
    "relative icon": Invalid(based(icons=[{"src": "c.png"}]), "icons[0].src", "icon-src-not-absolute"),
    # packages
    "space in an identifier": Invalid(
        package(identifier="my server"), "packages[0].identifier", "package-name-has-spaces"
    ),
    "unknown transport": Invalid(
        package(transport={"type": "websocket"}), "packages[0].transport.type", "unsupported-transport-type"
    ),
    "stdio with an address": Invalid(
        package(transport={"type": "stdio", "url": "http://localhost"}), _URL, "stdio-transport-url-not-empty"
    ),
    "HTTP without an address": Invalid(
        package(transport={"type": "streamable-http"}), _URL, "streamable-transport-url-required"
    ),
    "SSE without an address": Invalid(package(transport={"type": "sse"}), _URL, "streamable-transport-url-required"),
    "unknown variable": Invalid(
        package(transport={"type": "sse", "url": "http://localhost:{port}"}), _URL, "invalid-templated-url"
    ),
    "named argument without a name": Invalid(
        argument(type="named", value="x"), f"{_ARGUMENT}.name", "named-argument-name-required"
    ),
    **{
        f"argument {name}": Invalid(
            argument(type="named", name=name), f"{_ARGUMENT}.name", "invalid-named-argument-name"
        )
        for name in ("--a <b>", "--a b", "$A")
    },
    "value that repeats the name": Invalid(
        argument(type="named", name="--a", value="--a=1"), f"{_ARGUMENT}.value", "argument-value-starts-with-name"
    ),
    "default that repeats the name": Invalid(
        argument(type="named", name="--a", default="--a 1"),
        f"{_ARGUMENT}.default",
        "argument-default-starts-with-name",
    ),
    # remotes
    "remote on stdio": Invalid(remote(None, "stdio"), "remotes[0].type", "unsupported-remote-transport-type"),
    "remote without an address": Invalid(remote(None), "remotes[0].url", "remote-transport-url-required"),
    **{
        f"remote {url}": Invalid(remote(url), "remotes[0].url", "invalid-remote-url")
        for url in (
            "http://example.org/mcp",
            "https://localhost/mcp",
            "https://LOCALHOST:8/mcp",
            "https://a.localhost/",
            "https://127.0.0.1/mcp",
            "https://[::1]/mcp",
            "ftp://example.org",
            "https:///mcp",
            "https://example.org:port/",
        )
    },
    "remote with an unknown variable": Invalid(
        remote("https://{tenant}.example.org/", variables={"other": {}}), "remotes[0].url", "invalid-templated-url"
    ),
    # what publishing tells later
    "too much provided": Invalid(based(_meta={PROVIDED: {"a": "x" * 4096}}), "_meta", "too-large", "check"),
    **{
        f"package check {number}": Invalid(based(packages=[one]), f"packages[0].{path}", "package-ownership", "check")
        for number, (one, path) in enumerate(
            [
                ({**NPM, "registryType": "gem"}, "registryType"),
                ({name: value for name, value in NPM.items() if name != "version"}, "version"),
                ({**NPM, "fileSha256": "0" * 64}, "fileSha256"),
                ({**NPM, "registryBaseUrl": "https://npm.example.org"}, "registryBaseUrl"),
                ({**OCI, "version": "1.0.0"}, "version"),
                ({**OCI, "identifier": "registry.example.org/a/b:1"}, "identifier"),
                ({**OCI, "identifier": "ghcr.io/a/b"}, "identifier"),
                ({**OCI, "registryBaseUrl": "https://docker.io"}, "registryBaseUrl"),
                ({name: value for name, value in BUNDLE.items() if name != "fileSha256"}, "fileSha256"),
                ({**BUNDLE, "identifier": "https://example.org/mcp.mcpb"}, "identifier"),
                ({**BUNDLE, "identifier": "https://github.com/a/b-mcp/blob/x.mcpb"}, "identifier"),
                (
                    {**BUNDLE, "identifier": "https://github.com/a/b/releases/download/v1/weather.zip"},
                    "identifier",
                ),
            ]
        )
    },
}
