"""/readyz and /metrics: what they say, and to whom."""

from __future__ import annotations

import pytest
from django.test import Client

from common import clock
from config import health
from hosting.models import Runner

pytestmark = pytest.mark.django_db


def test_not_ready_without_a_runner_says_so_on_loopback(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {
        "database": "ok",
        "broker": "ok",
        "runners": "no runner was seen by a worker in the last 15 s",
    }


def test_ready_with_a_runner_that_answered(client: Client) -> None:
    Runner.objects.create(name="r1", address="unix:/r1", last_seen_at=clock.now())
    assert client.get("/readyz").json()["status"] == "ready"


def test_a_silent_runner_does_not_count(client: Client) -> None:
    Runner.objects.create(name="r1", address="unix:/r1", last_seen_at=clock.now() - health.SILENT_AFTER)
    assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize("headers", [{"REMOTE_ADDR": "203.0.113.5"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.5"}])
def test_others_learn_no_details(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/readyz", **headers).json() == {"status": "not ready"}  # type: ignore[arg-type]
    assert client.get("/metrics", **headers).status_code == 403  # type: ignore[arg-type]


def test_a_token_opens_details(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_TOKEN", "t0ken")
    for token, status in (("t0ken", 200), ("other", 403), ("", 403)):
        answer = client.get("/metrics", REMOTE_ADDR="203.0.113.5", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status


def test_metrics_count_what_is_there(client: Client) -> None:
    Runner.objects.create(name="r1", address="unix:/r1", last_seen_at=clock.now())
    text = client.get("/metrics").content.decode()
    assert 'slipway_runner_silence_seconds{runner="r1"}' in text


def test_only_get(client: Client) -> None:
    assert client.post("/readyz").status_code == 405
