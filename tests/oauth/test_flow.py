"""The authorization code flow: what is asked, what the person decides, what the program gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from common import clock
from events.models import AuditEntry
from hosting.models import Deployment
from oauth import claims, consents, keys, selectors
from oauth.models import AccessToken, Consent, Grant, RefreshToken
from tests.factories import make_deployment, make_user
from tests.oauth.flow import CALLBACK, Flow, answered, make_client, resource_of, token

pytestmark = pytest.mark.django_db


def verify(value: str, audience: str) -> claims.Claims:
    now = clock.now().timestamp()
    return claims.verify(value, key=keys.known_keys(), issuer=settings.SLIPWAY_URL, audience=audience, now=now)


def revoked(value: str, audience: str) -> bool:
    return verify(value, audience).jti in selectors.revoked_jtis()


def test_program_gets_a_token_that_the_endpoint_takes(flow: Flow) -> None:
    tokens = flow.connect()
    found = verify(tokens["access_token"], flow.resource)
    assert (found.sub, found.client_id) == (str(flow.user.pk), flow.client_id)
    assert found.scope == {"mcp:read", "mcp:call"}
    assert found.exp - found.iat == tokens["expires_in"] == 600
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "mcp:read mcp:call")
    assert not revoked(tokens["access_token"], flow.resource)
    consent = Consent.objects.get()
    assert consent.last_used_at is not None
    assert AuditEntry.objects.filter(action="consent:grant").exists()


def test_nothing_that_was_issued_is_kept(flow: Flow) -> None:
    """Threat 11: what a dump of the database holds opens nothing."""
    code = flow.code()
    _, tokens = flow.redeem(code)
    flow.refresh(tokens["refresh_token"])
    dump = str([list(model.objects.values()) for model in (AccessToken, RefreshToken, Grant, AuditEntry, Consent)])
    assert tokens["access_token"] not in dump
    assert tokens["refresh_token"] not in dump
    assert code not in dump


def test_page_says_who_asks_and_for_what(flow: Flow) -> None:
    page = flow.ask().content.decode()
    for words in ("Robo asks for access", "alice/time", "127.0.0.1", "mcp:read", "mcp:call", "could claim to be Robo"):
        assert words in page
    assert "mcp:admin" not in page
    assert not Grant.objects.exists()


def test_page_says_when_the_owner_reads_along(flow: Flow) -> None:
    assert "traced" not in flow.ask().content.decode()
    Deployment.objects.update(traces_bodies=True)
    page = flow.ask().content.decode()
    assert "Its owner reads along" in page and "Bodies of calls are traced" in page


def test_page_can_not_be_framed_or_kept(flow: Flow) -> None:
    """Threat 20."""
    answer = flow.ask()
    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:33418" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_decision_without_csrf_token_is_refused(flow: Flow) -> None:
    """Threat 20."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(flow.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = strict.post("/oauth/authorize", {"decision": "allow"}, query_params=flow.asked)
    assert answer.status_code == 403
    assert not Grant.objects.exists()


def test_no_program_goes_past_the_page(flow: Flow) -> None:
    """Threats 1 and 8: not a second one, not the same one again, and not by any parameter."""
    flow.connect()
    other = make_client("Other")
    for client_id in (flow.client_id, other.client_id):
        for extra in ({}, {"prompt": "none"}, {"approval_prompt": "auto"}):
            again = Flow(flow.user, client_id, flow.resource, extra=extra, person=flow.person)
            page = again.ask()
            assert page.status_code == 200
            assert "asks for access" in page.content.decode()
    assert not Grant.objects.exists()


def test_whoever_is_nobody_signs_in_first(flow: Flow) -> None:
    answer = Client().get("/oauth/authorize", flow.asked)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/oauth/authorize")


def test_saying_no_tells_the_program(flow: Flow) -> None:
    said = answered(flow.decide("deny"))
    assert (said["error"], said["state"]) == ("access_denied", "xyz")
    assert not Consent.objects.exists()


def test_person_may_allow_less(flow: Flow) -> None:
    code = answered(flow.decide(scopes=["mcp:read"]))["code"]
    _, tokens = flow.redeem(code)
    assert tokens["scope"] == "mcp:read"
    assert verify(tokens["access_token"], flow.resource).scope == {"mcp:read"}


def test_person_can_not_allow_more(flow: Flow) -> None:
    flow.scope = "mcp:read"
    code = answered(flow.decide(scopes=["mcp:read", "mcp:admin"]))["code"]
    assert flow.redeem(code)[1]["scope"] == "mcp:read"


def test_nothing_allowed_is_asked_again(flow: Flow) -> None:
    answer = flow.decide(scopes=[])
    assert answer.status_code == 400
    assert "at least one" in answer.content.decode()


def test_fields_of_the_form_replace_nothing(flow: Flow) -> None:
    answer = flow.decide(redirect_uri="https://evil.example/cb", client_id="other", state="evil", resource="x")
    assert answer["Location"].startswith(CALLBACK)
    assert answered(answer)["state"] == "xyz"


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge": "short"},
    ],
)
def test_pkce_with_s256_is_needed(flow: Flow, change: dict[str, str]) -> None:
    """Threat 6."""
    flow.extra = change
    assert answered(flow.ask())["error"] == "invalid_request"


def test_pkce_is_needed_of_clients_with_a_secret_too(deployment: Deployment) -> None:
    """Threat 6."""
    user = deployment.owner.user
    assert user is not None
    client = make_client(method="client_secret_basic")
    flow = Flow(user, client.client_id, resource_of(deployment), extra={"code_challenge": ""})
    assert answered(flow.ask())["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", ["w" * 64, "", "v" * 42])
def test_wrong_verifier_gets_nothing(flow: Flow, verifier: str) -> None:
    """Threat 6."""
    status, said = flow.redeem(flow.code(), code_verifier=verifier)
    assert status == 400
    assert "access_token" not in said


def test_code_of_another_client_gets_nothing(flow: Flow) -> None:
    """Threat 6."""
    code = flow.code()
    other = Flow(flow.user, make_client("Other").client_id, flow.resource)
    assert other.redeem(code)[1]["error"] == "invalid_grant"
    assert flow.redeem(code)[0] == 200


def test_code_is_good_for_a_minute(flow: Flow) -> None:
    """Threat 6."""
    code = flow.code()
    seconds = (Grant.objects.get().expires - clock.now()).total_seconds()
    assert 0 < seconds <= 60
    Grant.objects.update(expires=clock.now())
    assert flow.redeem(code)[1]["error"] == "invalid_grant"


def test_code_that_comes_twice_takes_back_what_it_gave(flow: Flow) -> None:
    """RFC 6749, 4.1.2."""
    code = flow.code()
    _, tokens = flow.redeem(code)
    assert flow.redeem(code)[1]["error"] == "invalid_grant"
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_other_redirect_uri_at_the_token_endpoint_gets_nothing(flow: Flow) -> None:
    status, said = flow.redeem(flow.code(), redirect_uri="http://127.0.0.1:1/callback")
    assert (status, said["error"]) == (400, "invalid_request")


# --- the resource


def test_token_is_for_one_server_only(flow: Flow) -> None:
    """Threat 3."""
    tokens = flow.connect()
    with pytest.raises(claims.InvalidTokenError, match="another resource"):
        verify(tokens["access_token"], f"{settings.SLIPWAY_URL}/mcp/alice/other")


@pytest.mark.parametrize(
    "resource",
    [
        settings.SLIPWAY_URL,
        f"{settings.SLIPWAY_URL}/",
        f"{settings.SLIPWAY_URL}/mcp",
        f"{settings.SLIPWAY_URL}/mcp/alice",
        f"{settings.SLIPWAY_URL}/mcp/alice/time/",
        f"{settings.SLIPWAY_URL}/mcp/alice/time?x=1",
        f"{settings.SLIPWAY_URL}/mcp/alice/time#",
        f"{settings.SLIPWAY_URL}/mcp/alice/time/more",
        f"{settings.SLIPWAY_URL}/mcp/alice/none",
        "https://elsewhere.example/mcp/alice/time",
        "alice/time",
        "nonsense",
        "http://[",
    ],
)
def test_only_servers_of_this_site_are_resources(flow: Flow, resource: str) -> None:
    """Threat 5: no parent, and no other spelling, is an audience."""
    flow.resource = resource
    assert answered(flow.ask())["error"] == "invalid_target"


def test_host_in_upper_case_is_the_same_server(flow: Flow) -> None:
    canonical = flow.resource
    flow.resource = canonical.replace("http://", "HTTP://").replace("localhost", "LOCALHOST")
    tokens = flow.connect()
    assert verify(tokens["access_token"], canonical)


def test_two_resources_are_refused(flow: Flow) -> None:
    flow.extra = {"resource": [flow.resource, f"{flow.resource}2"]}
    assert answered(flow.ask())["error"] == "invalid_target"


def test_private_server_of_somebody_else_is_unknown(flow: Flow) -> None:
    stranger = Flow(make_user("bob"), flow.client_id, flow.resource)
    assert answered(stranger.ask())["error"] == "invalid_target"


def test_without_a_resource_the_token_opens_no_server(flow: Flow) -> None:
    server, flow.resource = flow.resource, ""
    tokens = flow.connect()
    assert verify(tokens["access_token"], settings.SLIPWAY_URL)
    with pytest.raises(claims.InvalidTokenError):
        verify(tokens["access_token"], server)


def test_no_resource_can_be_added_at_the_token_endpoint(flow: Flow) -> None:
    server, flow.resource = flow.resource, ""
    assert flow.redeem(flow.code(), resource=server)[1]["error"] == "invalid_target"


def test_resource_can_not_be_changed_at_the_token_endpoint(flow: Flow) -> None:
    other = resource_of(make_deployment(flow.user, "other"))
    assert flow.redeem(flow.code(), resource=other)[1]["error"] == "invalid_target"
    tokens = flow.connect()
    assert flow.refresh(tokens["refresh_token"], resource=other)[1]["error"] == "invalid_target"


# --- refreshing and ending


def test_refresh_rotates_and_ends_what_was_before(flow: Flow) -> None:
    first = flow.connect()
    status, second = flow.refresh(first["refresh_token"], resource=flow.resource)
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert verify(second["access_token"], flow.resource).aud == flow.resource
    assert revoked(first["access_token"], flow.resource)
    assert not revoked(second["access_token"], flow.resource)


def test_replayed_refresh_token_ends_the_family(flow: Flow) -> None:
    """Threat 10."""
    first = flow.connect()
    _, second = flow.refresh(first["refresh_token"])
    assert flow.refresh(first["refresh_token"])[1]["error"] == "invalid_grant"
    assert revoked(second["access_token"], flow.resource)
    assert flow.refresh(second["refresh_token"])[1]["error"] == "invalid_grant"


def test_refresh_may_ask_for_less_and_never_for_more(flow: Flow) -> None:
    tokens = flow.connect()
    assert flow.refresh(tokens["refresh_token"], scope="mcp:admin")[1]["error"] == "invalid_scope"
    assert flow.refresh(tokens["refresh_token"], scope="mcp:read")[1]["scope"] == "mcp:read"


def test_refresh_token_only_where_it_was_asked_for(flow: Flow) -> None:
    flow.client_id = make_client("Once", grants=["authorization_code"]).client_id
    assert "refresh_token" not in flow.connect()
    flow.scope = "mcp:read offline_access"
    tokens = flow.connect()
    assert "refresh_token" in tokens
    assert verify(tokens["access_token"], flow.resource).scope == {"mcp:read"}


def test_revoking_ends_both_tokens(flow: Flow) -> None:
    for hint in ("access_token", "refresh_token"):
        tokens = flow.connect()
        sent = {"client_id": flow.client_id, "token": tokens[hint]}
        answer = flow.program.post(
            "/oauth/revoke",
            f"client_id={flow.client_id}&token={sent['token']}",
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 200
        assert revoked(tokens["access_token"], flow.resource)
        assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_another_client_revokes_nothing(flow: Flow) -> None:
    tokens = flow.connect()
    other = make_client("Other").client_id
    answer = flow.program.post(
        "/oauth/revoke",
        f"client_id={other}&token={tokens['access_token']}",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert not revoked(tokens["access_token"], flow.resource)


def test_disconnecting_ends_everything(flow: Flow) -> None:
    tokens = flow.connect()
    pending = flow.code()
    page = flow.person.get("/account/apps").content.decode()
    assert "Robo" in page and "alice/time" in page
    consent = Consent.objects.get()
    flow.person.post("/account/apps", {"action": "revoke", "consent": str(consent.pk)})
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"
    assert flow.redeem(pending)[1]["error"] == "invalid_grant"
    assert "Nothing is connected" in flow.person.get("/account/apps").content.decode()


def test_nobody_disconnects_for_others(flow: Flow) -> None:
    tokens = flow.connect()
    bob = Client()
    bob.force_login(make_user("bob"), backend="django.contrib.auth.backends.ModelBackend")
    for consent in (str(Consent.objects.get().pk), "nonsense", ""):
        assert bob.post("/account/apps", {"action": "revoke", "consent": consent}).status_code == 404
    assert not revoked(tokens["access_token"], flow.resource)


def test_blocked_program_may_not_even_ask(flow: Flow) -> None:
    tokens = flow.connect()
    consent = Consent.objects.get()
    flow.person.post("/account/apps", {"action": "block", "consent": str(consent.pk)})
    assert revoked(tokens["access_token"], flow.resource)
    assert "You have blocked it" in flow.ask().content.decode()
    assert flow.decide().status_code == 403
    flow.person.post("/account/apps", {"action": "unblock", "consent": str(consent.pk)})
    assert flow.connect()


def test_account_that_is_switched_off_gets_nothing_more(flow: Flow) -> None:
    tokens = flow.connect()
    flow.user.is_active = False
    flow.user.save()
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_server_that_goes_takes_its_consents_along(flow: Flow, deployment: Deployment) -> None:
    from events.actors import OPERATOR

    tokens = flow.connect()
    consents.consents_revoke_for(actor=OPERATOR, resource_id=deployment.pk)
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_member_who_is_none_any_more_gets_no_new_token(flow: Flow, deployment: Deployment) -> None:
    from hosting.models import DeploymentMember

    bob = make_user("bob")
    DeploymentMember.objects.create(deployment=deployment, user=bob)
    theirs = Flow(bob, flow.client_id, flow.resource)
    tokens = theirs.connect()
    DeploymentMember.objects.all().delete()
    assert theirs.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


# --- the surface


@pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", ""])
def test_other_grants_do_not_exist(flow: Flow, grant: str) -> None:
    status, said = flow.token(grant_type=grant, username="alice", password="x", device_code="x")
    assert status == 400
    assert said["error"] in ("unsupported_grant_type", "invalid_request")


@pytest.mark.parametrize("kind", ["token", "none", "id_token", "code token"])
def test_other_response_types_do_not_exist(flow: Flow, kind: str) -> None:
    flow.extra = {"response_type": kind}
    assert answered(flow.ask())["error"] in ("unsupported_response_type", "unauthorized_client")


def test_parameters_in_the_url_are_refused(flow: Flow) -> None:
    answer = flow.program.post(
        "/oauth/token?client_secret=x", "grant_type=refresh_token", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=%00", b"x" * 70_000, b"{}"])
def test_bad_bodies_are_refused(flow: Flow, body: bytes) -> None:
    for kind in ("application/x-www-form-urlencoded", "application/json"):
        answer = flow.program.post("/oauth/token", body, content_type=kind)
        assert answer.status_code in (400, 401)
        assert "error" in answer.json()


@pytest.mark.parametrize(
    "change",
    [{"client_id": "nobody"}, {"client_id": ""}, {"client_id": "a\0b"}, {"redirect_uri": "https://evil.example/cb"}],
)
def test_what_is_wrong_with_the_sender_is_told_to_the_person(flow: Flow, change: dict[str, Any]) -> None:
    flow.extra = change
    answer = flow.ask()
    assert answer.status_code == 400
    assert "Location" not in answer


def test_guessing_is_slowed_down(flow: Flow) -> None:
    """Threat 39."""
    secret = make_client("Secret", method="client_secret_post")
    sent = {"grant_type": "authorization_code", "client_id": secret.client_id, "code": "x", "client_secret": "guess"}
    answers = [token(flow.program, sent)[0] for _ in range(21)]
    assert set(answers[:20]) == {401}
    assert answers[20] == 429
    assert flow.redeem(flow.code())[0] == 200  # another client is not held up
