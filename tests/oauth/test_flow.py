"""The authorization code flow: what is asked, what the person decides, what the program gets."""

from __future__ import annotations

import pytest
from django.test import Client

from common import clock
from events.models import AuditEntry
from hosting.models import Deployment
from oauth.models import AccessToken, Consent, Grant, RefreshToken
from tests.oauth.flow import CALLBACK, Flow, answered, make_client, resource_of, revoked, verify

pytestmark = pytest.mark.django_db


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
