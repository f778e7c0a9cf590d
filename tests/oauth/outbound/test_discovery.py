"""Where and how one signs in elsewhere: what this site looks for, and what it refuses to believe."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.client.auth import utils as sdk
from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

from oauth.outbound import discovery
from oauth.outbound.discovery import SignInImpossible
from tests.oauth.outbound.described import ISSUER, URL, said


@pytest.mark.parametrize("url", [URL, "https://far.example/", "https://far.example", "http://127.0.0.1:99/mcp"])
@pytest.mark.parametrize("challenged", ["", "https://far.example/described"])
def test_the_servers_own_metadata_is_looked_for_where_the_sdk_does(url: str, challenged: str) -> None:
    theirs = sdk.build_protected_resource_metadata_discovery_urls(challenged or None, url)
    assert discovery.protected_urls(url, challenged) == list(dict.fromkeys(theirs))


@pytest.mark.parametrize("issuer", [ISSUER, "https://login.example", "https://login.example/", f"{ISSUER}/a/"])
def test_the_issuers_metadata_is_looked_for_where_the_sdk_does(issuer: str) -> None:
    assert discovery.server_urls(issuer) == sdk.build_oauth_authorization_server_metadata_discovery_urls(issuer, URL)


@pytest.mark.parametrize("challenged", [None, ("x",)])
@pytest.mark.parametrize("protected", [None, ("a", "b")])
@pytest.mark.parametrize("offered", [None, ("a", "offline_access"), ("a",)])
def test_scopes_are_chosen_as_the_sdk_chooses_them(
    challenged: tuple[str, ...] | None, protected: tuple[str, ...] | None, offered: tuple[str, ...] | None
) -> None:
    ours = discovery.scopes_to_ask(challenged, protected, offered)
    theirs = sdk.get_client_metadata_scopes(
        " ".join(challenged) if challenged is not None else None,
        ProtectedResourceMetadata.model_validate(
            {"resource": URL, "authorization_servers": [ISSUER], "scopes_supported": protected and list(protected)}
        ),
        OAuthMetadata.model_validate(
            {
                "issuer": ISSUER,
                "authorization_endpoint": ISSUER,
                "token_endpoint": ISSUER,
                "scopes_supported": offered and list(offered),
            }
        ),
        ["refresh_token"],
    )
    if challenged or protected:  # the SDK falls back on all that the issuer has, and that may be everything it has
        assert ours == tuple((theirs or "").split())
    else:
        assert ours == ()


def test_what_was_granted_is_asked_for_again_with_what_is_wanted_besides() -> None:
    assert discovery.scopes_to_ask(("write",), None, None, ("read",)) == ("read", "write")


@pytest.mark.parametrize(
    ("resource", "is_good"),
    [
        (URL, True),
        ("https://far.example/team", True),
        ("https://far.example", True),
        ("https://FAR.example/team/mcp", True),
        ("https://far.example:443/team/mcp/", True),
        ("https://far.example/tea", False),
        ("https://far.example/team/mcp/deeper", False),
        ("https://far.example/other", False),
        ("https://evil.example/team/mcp", False),
        ("https://far.example.evil.example/", False),
        ("https://far.example@evil.example/", False),
        ("http://far.example/team/mcp", False),
        ("https://far.example:444/", False),
        ("https://far.example/#x", False),
        ("", False),
        ("https://[", False),
    ],
)
def test_a_token_is_for_this_server_or_what_stands_above_it(resource: str, is_good: bool) -> None:
    assert discovery.is_for(resource, URL) is is_good
    if not is_good:
        with pytest.raises(SignInImpossible, match="another one"):
            discovery.protected_read({"resource": resource, "authorization_servers": [ISSUER]}, URL)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"issuer": "https://honest.example"}, "another site's"),
        ({"issuer": f"{ISSUER}/"}, "another site's"),
        ({"issuer": None}, "another site's"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"code_challenge_methods_supported": None}, "PKCE"),
        ({"code_challenge_methods_supported": "S256"}, "PKCE"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no https address"),
        ({"authorization_endpoint": "http://login.example/authorize"}, "no https address"),
        ({"authorization_endpoint": "https://user@login.example/"}, "no https address"),
        ({"token_endpoint": "file:///etc/passwd"}, "no https address"),
        ({"token_endpoint": 7}, "none for tokens"),
        ({"authorization_endpoint": None}, "no address for signing in"),
        ({"response_types_supported": ["token"]}, "no codes"),
    ],
)
def test_an_issuer_that_cant_be_believed_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(SignInImpossible, match=words):
        discovery.server_read(said(**changed), ISSUER)


@pytest.mark.parametrize("issuer", ["http://a", "javascript:x", "https://a@b", "https://x/?q", "https://x/#f", 3])
def test_an_issuer_is_an_https_address(issuer: Any) -> None:
    with pytest.raises(SignInImpossible, match="no site at which to sign in"):
        discovery.protected_read({"resource": URL, "authorization_servers": [issuer]}, URL)
