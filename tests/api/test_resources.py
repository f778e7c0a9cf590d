"""What belongs to a deployment: versions, settings, tools, members, tokens, calls, figures and output."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.configuration.given import settings_of
from hosting.models import CallRecord, Deployment, DeploymentVersion, EgressRecord, Tool
from hosting.tools.records import tools_seen
from oauth import claims, keys
from oauth.models import EndpointToken
from tests.api.conftest import ApiClient
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db
D = "deployments/alice/time"
NOW = {"name": "now", "description": "Tells the time", "inputSchema": {"type": "object"}}


@pytest.fixture
def deployment(alice: User) -> Deployment:
    return make_deployment(alice)


@pytest.fixture
def shared(deployment: Deployment, bob: User) -> Deployment:
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    return deployment


# --- versions


def test_versions_are_deployed_listed_and_gone_back_to(
    api: ApiClient, deployment: Deployment, django_assert_max_num_queries: Any
) -> None:
    made = api("POST", f"{D}/versions", {"reference": "pypi:demo==2.0"})
    assert (made.status, made.body["number"], made.body["state"], made.body["is_current"]) == (201, 2, "waiting", False)
    assert api("POST", f"{D}/versions", {}).code == "building"
    with django_assert_max_num_queries(12):
        page = api("GET", f"{D}/versions?limit=1").body
    assert [row["number"] for row in page["items"]] == [2]
    rest = api("GET", f"{D}/versions?limit=1&cursor={page['next']}").body
    assert [(row["number"], row["is_current"]) for row in rest["items"]] == [(1, True)]
    DeploymentVersion.objects.filter(number=2).update(built_at=clock.now(), build_log="Resolved 41 packages")
    second = DeploymentVersion.objects.get(number=2)
    Deployment.objects.update(state="ready", current_version=second)
    assert api("GET", f"{D}/versions/2").body["build_log"] == "Resolved 41 packages"
    back = api("POST", f"{D}/versions/1/rollback")
    assert (back.status, back.body["number"], back.body["is_current"]) == (200, 1, True)
    assert api("GET", D).body["version"] == 1
    again = api("POST", f"{D}/versions", {})
    assert (again.status, again.body["number"], again.body["reference"]) == (201, 3, "pypi:demo")


def test_unknown_and_unusable_versions(api: ApiClient, deployment: Deployment) -> None:
    assert api("GET", f"{D}/versions/9").code == "version_unknown"
    assert api("POST", f"{D}/versions/9/rollback").code == "version_unknown"
    assert api("GET", f"{D}/versions/{10**30}").status == 404
    assert api("GET", f"{D}/versions/one").code == "not_found"
    assert api("GET", f"{D}/versions?cursor=x").code == "cursor_unknown"
    assert api("POST", f"{D}/versions", {"reference": "demo"}).body["errors"][0]["field"] == "reference"


def test_version_of_a_server_json_brings_its_inputs(api: ApiClient, deployment: Deployment) -> None:
    package = {"registryType": "npm", "identifier": "x", "environmentVariables": [{"name": "A", "isRequired": True}]}
    package["runtimeArguments"] = [{"type": "named", "name": "--memory", "value": "1"}]
    answer = api("POST", f"{D}/versions", {"server_json": {"packages": [package]}})
    assert (answer.status, answer.body["reference"]) == (201, "npm:x")
    assert "--memory" in api("GET", f"{D}/versions/2").body["notices"][0]
    assert api("GET", f"{D}/settings").body["missing"] == ["env:A"]


# --- settings


def test_settings_are_set_replaced_and_secrets_never_shown(api: ApiClient, deployment: Deployment) -> None:
    assert api("GET", f"{D}/settings").body == {
        "inputs": [],
        "values": {},
        "arguments": [],
        "secrets": {},
        "missing": [],
    }
    answer = api(
        "PATCH",
        f"{D}/settings",
        {"values": {"env:ZONE": " Rome ", "env:B": "2"}, "secrets": {"env:KEY": "hush-hush"}, "arguments": ["-v"]},
    )
    assert (answer.body["values"], answer.body["arguments"]) == ({"env:ZONE": " Rome ", "env:B": "2"}, ["-v"])
    assert list(answer.body["secrets"]) == ["env:KEY"]
    assert "hush" not in str(answer.body)
    replaced = api("PUT", f"{D}/settings", {"values": {"env:ZONE": "Oslo"}})
    assert (replaced.body["values"], replaced.body["arguments"]) == ({"env:ZONE": "Oslo"}, [])
    deployment.refresh_from_db()
    assert dict(settings_of(deployment).values) == {"env:ZONE": "Oslo", "env:KEY": "hush-hush"}
    gone = api("PATCH", f"{D}/settings", {"values": {"env:ZONE": ""}, "removed": ["env:KEY"]})
    assert (gone.body["values"], gone.body["secrets"]) == ({}, {})


def test_declared_inputs_are_told_and_named(api: ApiClient, alice: User) -> None:
    declared = [{"name": "API_KEY", "where": "env", "is_secret": True, "is_required": True, "description": "From them"}]
    deployment = make_deployment(alice, declared=declared)
    found = api("GET", f"{D}/settings").body
    assert (found["inputs"][0]["key"], found["missing"]) == ("env:API_KEY", ["env:API_KEY"])
    kept = api("PUT", f"{D}/settings", {"values": {"API_KEY": "hush-hush"}}).body
    assert (kept["values"], list(kept["secrets"]), kept["missing"]) == ({}, ["env:API_KEY"], [])
    deployment.refresh_from_db()
    assert "hush" not in str(deployment.inputs)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"values": {"env:PATH": "/"}}, "env:PATH"),
        ({"values": {"other:X": "1"}}, "other:X"),
        ({"values": {"env:A": "x" * 20_000}}, "env:A"),
        ({"values": "x"}, "values"),
        ({"values": {"env:A": None}}, "values.env:A"),
        ({"arguments": ["x" * 5000]}, "arguments"),
        ({"secret": {}}, "secret"),
    ],
)
def test_bad_settings_say_where(api: ApiClient, deployment: Deployment, body: Any, field: str) -> None:
    answer = api("PATCH", f"{D}/settings", body)
    assert answer.status == 400
    assert field in [error["field"] for error in answer.body["errors"]]
    assert not settings_of(Deployment.objects.get()).values


# --- tools


@pytest.fixture
def tools(deployment: Deployment) -> Deployment:
    tools_seen(deployment.pk, [NOW, {"name": "a/b", "inputSchema": {"type": "object"}}])
    DeploymentVersion.objects.update(tools=[NOW])
    return deployment


def test_changed_tool_is_held_with_its_difference_until_approved(
    api: ApiClient, as_bob: ApiClient, tools: Deployment, bob: User, django_assert_max_num_queries: Any
) -> None:
    member_add(actor=OPERATOR, deployment=tools, user=bob)
    tools_seen(tools.pk, [{**NOW, "description": "Tells the time\u200b and your secrets"}], is_complete=False)
    with django_assert_max_num_queries(12):
        found = {row["name"]: row for row in api("GET", f"{D}/tools").body["items"]}
    assert (found["now"]["is_held"], found["now"]["is_new"], found["now"]["has_invisible"]) == (True, False, True)
    (change,) = found["now"]["changes"]
    assert change["field"] == "description"
    assert "-Tells the time\n+Tells the time\u200b and your secrets" in change["diff"]
    assert (found["a/b"]["is_held"], found["a/b"]["changes"]) == (False, [])
    assert [row["name"] for row in as_bob("GET", f"{D}/tools").body["items"]] == ["a/b"]
    stale = api("PATCH", f"{D}/tools/now", {"approve": "0" * 64})
    assert (stale.status, stale.code) == (409, "tool_changed")
    done = api("PATCH", f"{D}/tools/now", {"approve": found["now"]["digest"]})
    assert (done.body["is_held"], done.body["approved_by"]) == (False, "alice")
    assert len(as_bob("GET", f"{D}/tools").body["items"]) == 2


def test_tools_are_switched_and_their_tasks_decided(api: ApiClient, as_bob: ApiClient, tools: Deployment) -> None:
    answer = api("PATCH", f"{D}/tools/a/b", {"is_enabled": False, "task_support": "forbidden"})
    assert (answer.body["is_enabled"], answer.body["task_support"]) == (False, "forbidden")
    Deployment.objects.update(access="public")
    assert [row["name"] for row in as_bob("GET", f"{D}/tools").body["items"]] == ["now"]
    page = api("GET", f"{D}/tools?limit=1").body
    assert api("GET", f"{D}/tools?cursor={page['next']}").body["items"][0]["name"] == "now"
    assert as_bob("PATCH", f"{D}/tools/now", {"is_enabled": False}).status == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "nothing_to_change"),
        ({"task_support": "maybe"}, "invalid"),
        ({"is_enabled": "x"}, "invalid"),
    ],
)
def test_bad_changes_of_tools(api: ApiClient, tools: Deployment, body: Any, code: str) -> None:
    answer = api("PATCH", f"{D}/tools/now", body)
    assert (answer.status, answer.code) == (400, code)
    assert api("PATCH", f"{D}/tools/none", {"is_enabled": True}).code == "tool_unknown"
    assert Tool.objects.filter(is_enabled=True).count() == 2


# --- members and tokens


def test_members_come_and_go(
    api: ApiClient, as_bob: ApiClient, deployment: Deployment, django_assert_max_num_queries: Any
) -> None:
    assert as_bob("GET", D).status == 404
    assert [api("PUT", f"{D}/members/Bob").status for _ in range(2)] == [204, 204]
    assert as_bob("GET", D).status == 200
    with django_assert_max_num_queries(12):
        found = api("GET", f"{D}/members").body["items"]
    assert found == [{"user": "alice", "role": "owner"}, {"user": "bob", "role": "member"}]
    assert as_bob("DELETE", f"{D}/members/bob").status == 404
    assert api("DELETE", f"{D}/members/bob").status == 204
    assert as_bob("GET", D).status == 404
    assert api("PUT", f"{D}/members/nobody").code == "user_unknown"


def test_endpoint_token_is_shown_once_and_revoked(
    api: ApiClient, as_bob: ApiClient, shared: Deployment, bob: User, django_assert_max_num_queries: Any
) -> None:
    made = as_bob("POST", f"{D}/tokens", {"ttl_seconds": 60, "scopes": ["mcp:read"], "note": "CI"})
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    verified = claims.verify(
        made.body["value"],
        key=keys.load_signing_key(),
        issuer="http://127.0.0.1:8000",
        audience="http://127.0.0.1:8000/mcp/alice/time",
        now=clock.now().timestamp(),
    )
    assert (verified.sub, verified.scope) == (str(bob.pk), {"mcp:read"})
    api("POST", f"{D}/tokens", {})
    with django_assert_max_num_queries(12):
        found = api("GET", f"{D}/tokens").body["items"]
    assert [row["user"] for row in found] == ["alice", "bob"]
    assert "value" not in found[0]
    own = as_bob("GET", f"{D}/tokens").body["items"]
    assert [(row["user"], row["scopes"], row["note"]) for row in own] == [("bob", ["mcp:read"], "CI")]
    assert as_bob("DELETE", f"{D}/tokens/{found[0]['id']}").code == "token_unknown"
    assert api("DELETE", f"{D}/tokens/{found[1]['id']}").status == 204
    assert as_bob("GET", f"{D}/tokens").body["items"] == []
    assert EndpointToken.objects.filter(revoked_at=None).count() == 1


def test_tokens_come_in_pages(api: ApiClient, deployment: Deployment) -> None:
    ids = [api("POST", f"{D}/tokens", {}).body["id"] for _ in range(3)]
    page = api("GET", f"{D}/tokens?limit=2").body
    rest = api("GET", f"{D}/tokens?cursor={page['next']}").body
    assert [row["id"] for row in page["items"] + rest["items"]] == ids[::-1]
    assert api("GET", f"{D}/tokens?cursor=x").code == "cursor_unknown"


@pytest.mark.parametrize(
    "body", [{"ttl_seconds": 0}, {"ttl_seconds": 10**9}, {"scopes": []}, {"scopes": ["all"]}, {"note": "x" * 201}, "x"]
)
def test_bad_tokens_are_refused(api: ApiClient, deployment: Deployment, body: Any) -> None:
    assert api("POST", f"{D}/tokens", body).status == 400
    assert not EndpointToken.objects.exists()


# --- use


def make_call(deployment: Deployment, user: User, minute: int, **fields: Any) -> None:
    at = clock.now() - timedelta(minutes=minute)
    CallRecord.objects.create(
        deployment=deployment, user=user, at=at, method="tools/call", tool="now", microseconds=2000, **fields
    )


def test_calls_and_figures(
    api: ApiClient,
    as_bob: ApiClient,
    shared: Deployment,
    alice: User,
    bob: User,
    django_assert_max_num_queries: Any,
) -> None:
    for minute in range(3):
        make_call(shared, alice, minute)
    make_call(shared, bob, 5, status="tool_error")
    with django_assert_max_num_queries(12):
        page = api("GET", f"{D}/calls?limit=3").body
    assert [row["user"] for row in page["items"]] == ["alice"] * 3
    rest = api("GET", f"{D}/calls?cursor={quote(page['next'])}").body
    assert [(row["user"], row["status"]) for row in rest["items"]] == [("bob", "tool_error")]
    assert [row["user"] for row in as_bob("GET", f"{D}/calls").body["items"]] == ["bob"]
    assert api("GET", f"{D}/calls?status=tool_error&tool=now").body["items"] == rest["items"]
    assert api("GET", f"{D}/calls?status=great").status == 400
    stats = api("GET", f"{D}/stats?days=1").body
    assert (stats["total"]["calls"], stats["total"]["errors"], stats["tools"][0]["tool"]) == (4, 1, "now")
    assert stats["tools"][0]["p95_ms"] == 2.0
    assert as_bob("GET", f"{D}/stats").status == 404
    assert api("GET", f"{D}/stats?days=0").status == 400


def test_connections_and_output(api: ApiClient, as_bob: ApiClient, shared: Deployment) -> None:
    EgressRecord.objects.create(
        deployment=shared, day=clock.now().date(), host="api.example.org", port=443, connections=2, octets=10
    )
    assert api("GET", f"{D}/egress").body == {
        "connections": [{"host": "api.example.org", "port": 443, "connections": 2, "refused": 0, "octets": 10}]
    }
    assert api("GET", f"{D}/output").body == {"lines": []}  # nothing runs
    assert as_bob("GET", f"{D}/egress").status == 404
    assert as_bob("GET", f"{D}/output").body == {"lines": []}


def test_quota_is_of_who_asks(api: ApiClient, as_bob: ApiClient, deployment: Deployment) -> None:
    found = api("GET", "quota").body
    assert (found["owner"], found["used"]["deployments"]) == ("alice", 1)
    assert found["allowed"]["deployments"] > 1
    assert api("GET", "quota?owner=ALICE").body == found
    assert as_bob("GET", "quota?owner=alice").code == "account_unknown"
    assert as_bob("GET", "quota?owner=none").body == as_bob("GET", "quota?owner=alice").body
