"""This site as an OAuth client: what it reads, what it refuses to believe, and what it never sends. Pure parts, and the
flow against a server elsewhere that misbehaves."""

from __future__ import annotations

import json
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from django.test import Client as Browser
from httpx2 import Response
from joserfc.jwk import ECKey
from mcp.client.auth import utils as sdk
from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

from common import clock
from common.outbound import AnswerTooLarge, HostUnreachable, UrlRefused
from oauth.clients.assertions import claimed_client
from oauth.clients.jwt import payload_of
from oauth.clients.metadata import KEY, NONE, parse
from oauth.keys import load_signing_key
from oauth.outbound import discovery, flow, identity, requests
from oauth.outbound.challenges import Challenge, challenge_of
from oauth.outbound.discovery import Server, SignInImpossible
from oauth.outbound.flow import Peer, client_door, site_peer
from oauth.outbound.identity import Client
from oauth.outbound.requests import AnswerRefused, TokenRefused
from tests.oauth.elsewhere import FakeAuthorizationServer, as_json, redirect

URL = "https://far.example/team/mcp"
ISSUER = "https://login.example/tenant"
PROTECTED = "/.well-known/oauth-protected-resource/mcp"


# --- challenges


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('Bearer scope="a b", resource_metadata="https://x/y?z=1"', Challenge("", ("a", "b"), "https://x/y?z=1")),
        ('bearer error="insufficient_scope", scope="w"', Challenge("insufficient_scope", ("w",))),
        ('Basic realm="Bearer scope=x", Bearer scope=y', Challenge("", ("y",))),
        ("Negotiate abc==, Bearer resource_metadata=https://x/.well-known/a", Challenge("", None, "https://x/.well-known/a")),
        ('Bearer realm="a, b=c", scope="d"', Challenge("", ("d",))),
        ('Bearer scope="a \\"b"', Challenge("", ("a", '"b'))),
        ("Bearer", Challenge()),
        ('Bearer scope="a", Basic scope="b"', Challenge("", ("a",))),
        ('Basic realm="x"', None),
        ("", None),
        ('"' * 20_000, None),
    ],
)  # fmt: skip
def test_challenge(field: str, expected: Challenge | None) -> None:
    assert challenge_of(field) == expected


@pytest.mark.parametrize(
    "field", ['Bearer scope="a b"', 'Bearer resource_metadata="https://x/y"', "Bearer scope=a", "Bearer"]
)
def test_challenge_as_the_sdk_reads_it(field: str) -> None:
    response = Response(401, headers={"WWW-Authenticate": field})
    found = challenge_of(field)
    assert found is not None
    assert found.metadata_url == (sdk.extract_resource_metadata_from_www_auth(response) or "")
    assert found.scopes == (tuple((sdk.extract_scope_from_www_auth(response) or "").split()) or None)


# --- discovery


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


def said(**changed: Any) -> dict[str, Any]:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/authorize",
        "token_endpoint": "https://login.example/token",
        "code_challenge_methods_supported": ["S256"],
        **changed,
    }


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


# --- who we are


@pytest.fixture
def https_site(settings: Any) -> str:
    settings.SLIPWAY_URL = "https://slipway.example"
    return "https://slipway.example"


def server(**changed: Any) -> Server:
    return msgspec.structs.replace(discovery.server_read(said(), ISSUER), **changed)


@pytest.mark.parametrize(("kind", "method"), [("public", NONE), ("signed", KEY)])
def test_our_document_is_one_that_we_would_take(https_site: str, kind: str, method: str) -> None:
    key = identity.issuer_key(ISSUER)
    answer = Browser().get(f"/oauth/client-metadata/{kind}/{key}", headers={"host": "127.0.0.1"})
    document = answer.json()
    assert document["client_id"] == f"{https_site}/oauth/client-metadata/{kind}/{key}"
    found = parse(document, (NONE, KEY), NONE)
    assert (found.method, found.redirect_uris) == (method, (f"{https_site}/connect/callback/{key}",))
    assert "no-store" not in answer["Cache-Control"] and answer["Access-Control-Allow-Origin"] == "*"
    assert '"d"' not in answer.content.decode()


@pytest.mark.parametrize("path", ["public/xyz", f"other/{'0' * 16}", f"public/{'A' * 16}", f"public/{'0' * 400}"])
def test_there_is_no_other_document(path: str) -> None:
    assert Browser().get(f"/oauth/client-metadata/{path}", headers={"host": "127.0.0.1"}).status_code == 404


def test_our_assertion_is_one_that_we_would_take(https_site: str) -> None:
    client = identity.document_client(server(takes_documents=True, methods=(KEY,)))
    assert client is not None and client.method == KEY
    form, headers = identity.proof(client, ISSUER)
    assertion = form["client_assertion"]
    jwks = identity.document("signed", identity.issuer_key(ISSUER))["jwks"]
    body = payload_of(assertion, jwks)
    assert claimed_client(assertion) == client.id and headers == {}
    assert body["aud"] == ISSUER and body["exp"] - clock.now().timestamp() < 61
    assert identity.proof(client, ISSUER)[0]["client_assertion"] != assertion
    assert isinstance(identity.client_key(), ECKey)
    assert identity.client_key().kid != load_signing_key().kid


@pytest.mark.parametrize(
    ("methods", "algorithms", "method"),
    [(("none",), (), NONE), ((KEY,), (), KEY), ((KEY, NONE), ("RS256",), NONE), ((KEY,), ("ES256",), KEY)],
)
def test_how_we_prove_ourselves_is_what_the_server_takes(
    https_site: str, methods: tuple[str, ...], algorithms: tuple[str, ...], method: str
) -> None:
    client = identity.document_client(server(takes_documents=True, methods=methods, algorithms=algorithms))
    assert client is not None and client.method == method


def test_a_site_without_https_has_no_document_to_be_known_by() -> None:
    assert identity.document_client(server(takes_documents=True)) is None


def test_each_issuer_has_an_address_of_its_own_to_come_back_to() -> None:
    assert identity.redirect_uri(server()) != identity.redirect_uri(server(issuer="https://other.example"))


# --- the answer


@pytest.mark.parametrize(
    ("answer", "names_itself", "words"),
    [
        ({"code": ["c"], "iss": ["https://evil.example"]}, True, "another site answered"),
        ({"code": ["c"], "iss": ["https://evil.example"]}, False, "another site answered"),
        ({"code": ["c"], "iss": [f"{ISSUER}/"]}, True, "another site answered"),
        ({"code": ["c"], "iss": [""]}, False, "another site answered"),
        ({"code": ["c"]}, True, "does not say who answers"),
        ({"code": ["c", "d"], "iss": [ISSUER]}, True, "twice"),
        ({"code": ["c"], "iss": [ISSUER, "https://evil.example"]}, True, "twice"),
        ({"iss": [ISSUER]}, True, "no code"),
        ({"error": ["access_denied"], "iss": [ISSUER]}, True, "declined"),
        ({"error": ["server_error"], "error_description": ["Down\u202e"], "iss": [ISSUER]}, True, "refused: Down"),
    ],
)
def test_an_answer_that_cant_be_used(answer: dict[str, list[str]], names_itself: bool, words: str) -> None:
    with pytest.raises(AnswerRefused, match=words) as refused:
        requests.code_of(answer, issuer=ISSUER, names_itself=names_itself)
    assert "\u202e" not in refused.value.message


def test_what_another_site_says_is_not_repeated() -> None:
    answer = {"error": ["x"], "error_description": ["call this number"], "iss": ["https://evil.example"]}
    with pytest.raises(AnswerRefused) as refused:
        requests.code_of(answer, issuer=ISSUER, names_itself=False)
    assert "number" not in refused.value.message


def test_what_the_endpoint_has_in_its_query_stays_unless_it_is_ours_to_say() -> None:
    url = requests.authorize_url(
        "https://login.example/a?tenant=7&state=theirs&redirect_uri=https://evil.example",
        client_id="me", redirect_uri="https://us/cb", scopes=(), state="s", verifier="v" * 43, resource=URL,
    )  # fmt: skip
    sent = parse_qs(urlsplit(url).query)
    assert sent["tenant"] == ["7"] and sent["state"] == ["s"] and sent["redirect_uri"] == ["https://us/cb"]
    assert "scope" not in sent and sent["resource"] == [URL]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"access_token": "a", "token_type": "mac"}),
        (200, {"access_token": "a b", "token_type": "Bearer"}),
        (200, {"access_token": "a\r\nX: y", "token_type": "Bearer"}),
        (200, {"access_token": "", "token_type": "Bearer"}),
        (200, {"access_token": ["a"], "token_type": "Bearer"}),
        (200, {"token_type": "Bearer"}),
        (200, {"error": "invalid_grant"}),
        (200, None),
        (302, None),
        (500, {"error": "invalid_grant"}),
    ],
)
def test_no_token_in_an_answer(status: int, body: dict[str, Any] | None) -> None:
    with pytest.raises(TokenRefused) as refused:
        requests.tokens_of(status, body)
    assert refused.value.error == ""  # nothing that would end an account


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(60, 60), ("60", 60), (1.5, 1), (-1, None), ("x", None), (True, None), (10**18, 31_536_000)],
)
def test_how_long_a_token_lasts(given: Any, seconds: int | None) -> None:
    said = {"access_token": "a", "token_type": "bearer", "expires_in": given}
    assert requests.tokens_of(200, said).expires_in == seconds


# --- against a server that misbehaves


def test_found_by_its_challenge_or_without_one(far: FakeAuthorizationServer) -> None:
    found = site_peer().discover(far.resource)
    assert (found.resource, found.server.issuer, found.scopes) == (far.resource, far.url, ("mcp:read",))
    far.challenge = f'Bearer resource_metadata="{far.url}/described", scope="other"'
    far.instead["/described"] = lambda _: as_json({"resource": far.url, "authorization_servers": [far.url]})
    found = site_peer().discover(far.resource)
    assert (found.resource, found.scopes) == (far.url, ("other",))


def test_a_server_of_the_first_revisions_is_its_own_issuer(far: FakeAuthorizationServer) -> None:
    for place in ("/mcp", ""):
        far.instead[f"/.well-known/oauth-protected-resource{place}"] = lambda _: (404, {}, b"")
    assert site_peer().discover(far.resource).server.issuer == far.url


def test_metadata_is_not_followed_elsewhere(far: FakeAuthorizationServer) -> None:
    with FakeAuthorizationServer() as evil:
        for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
            far.instead[path] = lambda _: redirect(f"{evil.url}/.well-known/oauth-authorization-server")
        with pytest.raises(SignInImpossible, match="doesn't describe how"):
            site_peer().discover(far.resource)
        assert evil.asked == []


def test_a_token_request_is_not_followed_elsewhere(far: FakeAuthorizationServer) -> None:
    with FakeAuthorizationServer() as evil:
        far.instead["/token"] = lambda _: (307, {"Location": f"{evil.url}/token"}, b"")
        with pytest.raises(TokenRefused):
            site_peer().redeem(site_peer().server(far.url), Client("me"), "code", verifier="v", resource=far.resource)
        assert evil.asked == []


@pytest.mark.parametrize("path", [PROTECTED, "/.well-known/oauth-authorization-server"])
def test_a_document_that_is_too_large_is_not_read(far: FakeAuthorizationServer, path: str) -> None:
    far.instead[path] = lambda _: as_json({"resource": far.resource, "x": "y" * 100_000})
    with pytest.raises(AnswerTooLarge):
        site_peer().discover(far.resource)


def test_a_server_that_does_not_answer_costs_seconds_only(
    far: FakeAuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "SECONDS", 0.2)
    done = threading.Event()
    far.instead["/.well-known/oauth-protected-resource/mcp"] = lambda _: (done.wait(20), as_json({}))[1]
    begun = time.monotonic()
    with pytest.raises(HostUnreachable, match="did not answer within"):
        site_peer().discover(far.resource, Challenge())
    assert time.monotonic() - begun < 10
    done.set()


@pytest.mark.parametrize(
    "issuer",
    [
        "http://169.254.169.254",
        "https://169.254.169.254",
        "http://10.1.2.3",
        "https://[::ffff:10.0.0.1]",
        "http://1.1.1.1:443",
    ],
)
def test_an_issuer_inside_is_not_asked(far: FakeAuthorizationServer, issuer: str) -> None:
    """Threat 16: nor a public one without encryption."""
    far.protected["authorization_servers"] = [issuer]
    with pytest.raises(UrlRefused):
        site_peer().discover(far.resource)


@pytest.mark.parametrize("name", ["token_endpoint", "registration_endpoint"])
def test_an_endpoint_inside_is_not_asked(far: FakeAuthorizationServer, name: str) -> None:
    """Threat 16."""
    far.metadata[name] = "http://169.254.169.254/latest/meta-data"
    found = site_peer().server(far.url)
    with pytest.raises(UrlRefused):
        if name == "token_endpoint":
            site_peer().redeem(found, Client("me"), "code", verifier="v", resource=far.resource)
        else:
            site_peer().register(found)


def test_without_networks_of_the_operator_there_is_no_plain_http(settings: Any) -> None:
    settings.SLIPWAY_EGRESS_PRIVATE = []
    with pytest.raises(UrlRefused, match="https://"):
        Peer(client_door()).server("http://127.0.0.1:80")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (as_json({"error": "invalid_client_metadata", "error_description": "no"}, 400), r"\(400: no\)"),
        (as_json({"client_id": ""}, 201), "without giving it an id"),
        (as_json({"client_id": "a", "token_endpoint_auth_method": "tls", "client_secret": "x"}, 201), "by tls"),
        (as_json([], 201), "did not register"),
        ((201, {}, b"{"), "did not register"),
    ],
)
def test_a_registration_that_came_to_nothing(far: FakeAuthorizationServer, answer: Any, words: str) -> None:
    far.instead["/register"] = lambda _: answer
    with pytest.raises(SignInImpossible, match=words):
        site_peer().register(site_peer().server(far.url))


def test_a_registration_says_what_kind_of_program_this_is(far: FakeAuthorizationServer, settings: Any) -> None:
    client = site_peer().register(site_peer().server(far.url))
    assert client.method == "client_secret_basic" and client.secret
    asked = json.loads(far.asked[-1].body)
    assert asked["application_type"] == "native"  # this test's site is at a loopback address
    settings.SLIPWAY_URL = "https://slipway.example"
    there = site_peer().server(far.url)
    said = identity.registration(there, identity.redirect_uri(there))
    assert said["application_type"] == "web"


def test_nothing_can_be_done_where_the_server_knows_no_way(far: FakeAuthorizationServer) -> None:
    far.metadata["registration_endpoint"] = None
    with pytest.raises(SignInImpossible, match="type in the client id"):
        flow.client_for(site_peer(), site_peer().server(far.url), None)
