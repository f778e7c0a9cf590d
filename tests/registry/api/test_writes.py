"""Publishing, editing, statuses and validation over HTTP: what answers, in which order, in which words."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from registry.models import ServerVersion
from registry.server_json.package_rules import Indexes
from tests.registry.examples import INVALID, PROVIDED, VALID, Invalid, based
from tests.registry.site import Site, bearer, put

NAME = "org.example.tools/weather"
PATH = "/v0/servers/org.example.tools%2Fweather"
MAY = ("publish", "org.example.*")
OFFICIAL = "io.modelcontextprotocol.registry/official"


def publish(site: Site, version: str = "1.0.0", **more: Any) -> httpx.Response:
    return site.request("POST", "/v0/publish", json=based(name=NAME, version=version, **more), headers=bearer(MAY))


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    found: dict[str, Any] = answer.json()
    assert set(found) <= {"title", "status", "detail", "errors"}
    assert found["status"] == status
    return found


@pytest.mark.parametrize("prefix", ["/v0", "/v0.1"])
def test_published_entry_is_answered_and_read(site: Site, prefix: str) -> None:
    answer = site.request("POST", f"{prefix}/publish", json=based(name=NAME), headers=bearer(MAY))
    assert answer.status_code == 200, answer.text
    assert answer.json()["server"] == based(name=NAME)
    official = answer.json()["_meta"][OFFICIAL]
    assert (official["status"], official["isLatest"], "statusMessage" in official) == ("active", True, False)
    assert site.get(f"{PATH}/versions/latest").json() == answer.json()


def test_order_of_refusals(site: Site) -> None:
    """Binding before the header, the header before the token, the token before permission, permission before rules."""
    other, bad_rule = based(name="org.other/x", version="latest"), based(name=NAME, version="latest")

    def post(body: Any, **headers: str) -> httpx.Response:
        return site.request("POST", "/v0.1/publish", json=body, headers=headers)

    authorized = bearer(MAY)["Authorization"]
    assert problem(post({}), 422)["errors"][0]["location"] == "header.Authorization"
    assert problem(post({}, Authorization="Basic x"), 422)["errors"][0]["location"].startswith("body")
    assert problem(post(other, Authorization="Basic x"), 401)
    assert problem(post(other, Authorization="Bearer x"), 401)["errors"]
    assert problem(post(other, Authorization=authorized), 403)["detail"].startswith("You do not have permission")
    found = problem(post(bad_rule, Authorization=authorized.replace("Bearer", "bEARER")), 422)
    assert "validate" in found["detail"]
    assert found["errors"][0]["location"] == "body.version"
    assert not ServerVersion.objects.exists()


def test_cause_of_a_failure_stands_in_errors(site: Site) -> None:
    publish(site)
    found = problem(publish(site), 400)
    assert found["detail"] == "Failed to publish server"
    assert "duplicate version" in found["errors"][0]["message"]
    found = problem(publish(site, "2.0.0", _meta={PROVIDED: {"a": "x" * 4096}}), 400)
    assert "4096" in found["errors"][0]["message"]


def test_bodies_that_are_none(site: Site) -> None:
    def post(content: bytes) -> httpx.Response:
        return site.request("POST", "/v0/publish", content=content, headers=bearer(MAY))

    problem(post(b""), 422)
    problem(post(b"{"), 400)
    problem(post(b'"\xff"'), 400)
    problem(post(b'{"a":"\\ud800"}'), 400)
    problem(post(b"[" * 100_000), 400)
    problem(post(b" " * (1024 * 1024 + 1)), 413)


def test_too_large_without_a_length(site: Site) -> None:
    def chunks() -> Any:
        for _ in range(20):
            yield b" " * 65_536

    problem(site.request("POST", "/v0/validate", content=chunks()), 413)


def test_edit(site: Site) -> None:
    publish(site)
    edited = based(name=NAME, version="1.0.0", title="New")

    def put(version: str, body: Any, *permissions: tuple[str, str]) -> httpx.Response:
        return site.request("PUT", f"{PATH}/versions/{version}", json=body, headers=bearer(*permissions))

    problem(put("1.0.0", edited, MAY), 403)
    problem(put("2.0.0", edited, ("edit", "*")), 404)
    problem(put("1.0.0", based(name=NAME, version="1.0.1"), ("edit", "*")), 400)
    problem(put("1.0.0", based(name=NAME + "x", version="1.0.0"), ("edit", "*")), 400)
    answer = put("1.0.0", edited, ("edit", "org.example.tools/weather"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["server"]["title"] == "New"


def test_status_of_one_version(site: Site) -> None:
    publish(site)

    def patch(body: Any, *permissions: tuple[str, str]) -> httpx.Response:
        return site.request("PATCH", f"{PATH}/versions/1.0.0/status", json=body, headers=bearer(*permissions or [MAY]))

    problem(patch({"status": "gone"}), 422)
    problem(patch({}), 422)
    problem(patch({"status": "deleted", "statusMessage": "x" * 501}), 422)
    problem(patch({"status": "deleted", "reason": "x"}), 422)
    problem(patch({"status": "active"}), 400)
    problem(patch({"status": "active", "statusMessage": "x"}), 400)
    problem(patch({"status": "deleted"}, ("publish", "org.other/*")), 403)
    answer = patch({"status": "deprecated", "statusMessage": "x" * 500}, ("edit", "*"))
    assert answer.json()["_meta"][OFFICIAL]["statusMessage"] == "x" * 500
    assert patch({"status": "deleted"}).status_code == 200
    problem(site.get(f"{PATH}/versions/1.0.0"), 404)
    assert site.get(f"{PATH}/versions/1.0.0?include_deleted=true").status_code == 200
    assert patch({"status": "active"}).status_code == 200  # what was deleted is found here
    missing = site.request("PATCH", f"{PATH}/versions/9/status", json={"status": "deleted"}, headers=bearer(MAY))
    problem(missing, 404)


def test_status_of_all_versions(site: Site) -> None:
    for version in ("1.0.0", "2.0.0"):
        publish(site, version)

    def patch(body: Any) -> httpx.Response:
        return site.request("PATCH", f"{PATH}/status", json=body, headers=bearer(MAY))

    answer = patch({"status": "deprecated", "statusMessage": "moved"}).json()
    assert set(answer) == {"updatedCount", "servers"}
    assert answer["updatedCount"] == 2
    assert [one["server"]["version"] for one in answer["servers"]] == ["2.0.0", "1.0.0"]
    problem(patch({"status": "deprecated", "statusMessage": "moved"}), 400)
    other = site.request(
        "PATCH", "/v0/servers/org.example.tools%2Fno/status", json={"status": "deleted"}, headers=bearer(MAY)
    )
    problem(other, 404)


@pytest.mark.parametrize("message", [None, "x", 'Use "b\\c"\n\t\u0001\x7f </script> “é” \U0001f600'])
def test_what_a_write_answers_is_what_reads_answer(site: Site, message: str | None) -> None:
    put("io.example.tools/one", published_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))  # no fraction of a second
    path = "/v0.1/servers/io.example.tools%2Fone/versions/1.0.0"
    body = {"status": "deprecated"} | ({"statusMessage": message} if message else {})
    answered = site.request("PATCH", f"{path}/status", json=body, headers=bearer(("edit", "*")))
    assert answered.status_code == 200, answered.text
    assert site.get(path).text == answered.text
    assert site.get("/v0.1/servers").text == f'{{"servers":[{answered.text}],"metadata":{{"count":1}}}}'


def test_32_publishers_of_one_name_at_once(site: Site) -> None:
    """Over HTTP: everybody gets an answer, each version is there once, and one is the latest."""
    header = bearer(MAY)
    statuses: list[int] = []
    start = threading.Barrier(32)

    def run(number: int) -> None:
        with httpx.Client(base_url=site.url, timeout=60) as client:
            start.wait(30)
            body = based(name=NAME, version=f"1.{number % 16}.0")  # each version twice
            statuses.append(client.post("/v0/publish", json=body, headers=header).status_code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert sorted(statuses) == [200] * 16 + [400] * 16
    assert ServerVersion.objects.count() == 16
    assert ServerVersion.objects.get(is_latest=True).version == "1.15.0"


# --- /validate


@pytest.mark.parametrize("document", VALID.values(), ids=VALID.keys())
def test_validate_accepts(site: Site, document: dict[str, Any]) -> None:
    answer = site.request("POST", "/v0.1/validate", json=document)
    assert answer.status_code == 200
    assert answer.json()["valid"] is True, answer.json()["issues"]


@pytest.mark.parametrize("example", INVALID.values(), ids=INVALID.keys())
def test_validate_refuses_where_and_why(site: Site, example: Invalid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.writes.indexes", Indexes)  # the suite's settings check no packages
    answer = site.request("POST", "/v0.1/validate", content=json.dumps(example.document))
    if example.layer == "binding":
        location = f"body.{example.path}" if example.path else "body"
        assert location in [one["location"] for one in problem(answer, 422)["errors"]]
        return
    assert answer.status_code == 200
    found = answer.json()
    assert found["valid"] is False
    errors = [one for one in found["issues"] if one["severity"] == "error"]
    assert any(one["path"] == example.path and example.reference in one["reference"] for one in errors), errors
    assert set(errors[0]) == {"type", "path", "message", "severity", "reference"}


# --- what a registry says of itself


def test_health_ping_and_version(site: Site) -> None:
    for prefix in ("/v0", "/v0.1"):
        assert site.get(f"{prefix}/health").json()["status"] == "ok"
        assert site.get(f"{prefix}/ping").json() == {"pong": True}
        assert set(site.get(f"{prefix}/version").json()) == {"version", "git_commit", "build_time"}


@pytest.mark.parametrize("proof", ["github-at", "github-oidc", "dns", "http"])
def test_exchanges_refuse_what_is_no_proof(site: Site, proof: str) -> None:
    problem(site.request("POST", f"/v0/auth/{proof}", json={}), 422)
    problem(site.request("POST", f"/v0/auth/{proof}", json={"unknown": "x"}), 422)


def test_anonymous_exchange_is_not_there(site: Site) -> None:
    problem(site.request("POST", "/v0/auth/none"), 404)
    problem(site.request("POST", "/v0.1/auth/password", json={}), 404)
