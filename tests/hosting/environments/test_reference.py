"""The grammar of references."""

from __future__ import annotations

import pytest

from common.errors import BadInput
from hosting.kinds import Reference, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pypi:mcp-server-time", Reference("pypi", "mcp-server-time")),
        ("  pypi:six==1.17.0 ", Reference("pypi", "six", "1.17.0")),
        ("pypi:Awslabs.Postgres_MCP--Server", Reference("pypi", "awslabs-postgres-mcp-server")),
        ("pypi:a==1!2.0rc1.post3.dev4+local.5", Reference("pypi", "a", "1!2.0rc1.post3.dev4+local.5")),
        ("npm:is-number", Reference("npm", "is-number")),
        ("npm:is-number@7.0.0", Reference("npm", "is-number", "7.0.0")),
        ("npm:@scope/name", Reference("npm", "@scope/name")),
        ("npm:@scope/name@1.2.3-beta.1+build", Reference("npm", "@scope/name", "1.2.3-beta.1+build")),
        ("npm:@scope/name@next", Reference("npm", "@scope/name", "next")),
        ("remote:https://example.org/mcp", Reference("remote", "https://example.org/mcp")),
        ("remote:HTTPS://Example.ORG:443", Reference("remote", "https://example.org/")),
        ("remote:https://bücher.example/a?b=c", Reference("remote", "https://xn--bcher-kva.example/a?b=c")),
        ("remote:http://[::1]:8080/t/{tenant}/mcp", Reference("remote", "http://[::1]:8080/t/{tenant}/mcp")),
        ("registry:io.example/Weather_1", Reference("registry", "io.example/Weather_1")),
        ("registry:io.example/x@1.0.0+b", Reference("registry", "io.example/x", "1.0.0+b")),
        ("registry:io.example/x@latest", Reference("registry", "io.example/x")),
    ],
)
def test_reference_is_read(text: str, expected: Reference) -> None:
    assert parse(text) == expected
    assert parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "where the server comes from"),
        ("mcp-server-time", "where the server comes from"),
        ("docker:thing", "isn't a kind"),
        ("PYPI:six", "isn't a kind"),
        ("registry:weather", "can't be the name of a server"),
        ("registry:io.example/x@", "can't be a version"),
        ("source:.", "hosted from a shell"),
        ("remote:example.org/mcp", "begins with https://"),
        ("remote:ftp://example.org/mcp", "begins with https://"),
        ("remote:https://", "begins with https://"),
        ("remote:https://user:secret@example.org/mcp", "no user name or password"),
        ("remote:https://example.org/mcp#part", "before the “#”"),
        ("remote:https://2130706433/mcp", "can't be the host"),
        ("remote:https://127.1/mcp", "can't be the host"),
        ("remote:https://exa mple.org/mcp", "can't be the host"),
        ("remote:https://example.org/a b", "percent-encoded"),
        ("remote:https://example.org/{not closed", "percent-encoded"),
        ("remote:https://example.org/é", "percent-encoded"),
        ("remote:https://example.org:99999/", "is no address"),
        ("remote:https://example.org:0/", "a port from 1"),
        ("remote:https://{tenant}.example.org/mcp", "can't be the host"),
        ("pypi:", "can't be the name"),
        ("pypi:-six", "can't be the name"),
        ("pypi:six\nother", "one line"),
        ("pypi:../etc", "can't be the name"),
        ("pypi:--index-url", "can't be the name"),
        ("pypi:six>=1", "without ranges"),
        ("pypi:six[extra]", "without ranges"),
        ("pypi:six@1.0", "without ranges"),
        ("pypi:six @ https://example.org/six.whl", "without ranges"),
        ("pypi:six==", "exact version"),
        ("pypi:six==1.*", "exact version"),
        ("pypi:six==1,!=2", "exact version"),
        ("npm:", "can't be the name"),
        ("npm:@scope", "can't be the name"),
        ("npm:a/b", "can't be the name"),
        ("npm:../x", "can't be the name"),
        ("npm:--registry", "can't be the name"),
        ("npm:_x", "can't be the name"),
        ("npm:node_modules", "can't be the name"),
        ("npm:x@^1.0.0", "exact version or a tag"),
        ("npm:x@1.x", "exact version or a tag"),
        ("npm:x@https://example.org/x.tgz", "exact version or a tag"),
        ("npm:x@file:../x", "exact version or a tag"),
        ("npm:" + "x" * 215, "can't be the name"),
        ("pypi:" + "x" * 500, "longer than"),
    ],
)
def test_bad_reference_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
