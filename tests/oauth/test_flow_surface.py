"""What the authorization server does not do, and what it says to requests that are none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oauth.flow import Flow, answered, make_client, token

pytestmark = pytest.mark.django_db


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
