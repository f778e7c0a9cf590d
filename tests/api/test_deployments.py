"""Deployments over the API: made of whatever, listed in pages, changed at once, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from accounts.models import Membership, Organization, User
from accounts.models import Name as AccountName
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.configuration.given import settings_of
from hosting.models import Deployment, SourceArchive
from hosting.states import State
from tests.api.conftest import ApiClient
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db
TOOL = {"name": "now", "inputSchema": {"type": "object"}}
SERVER_JSON = {
    "name": "io.github.x/demo",
    "title": "Demo",
    "version": "1.0.0",
    "packages": [
        {
            "registryType": "pypi",
            "identifier": "demo",
            "version": "1.0.0",
            "transport": {"type": "stdio"},
            "environmentVariables": [{"name": "API_KEY", "isSecret": True, "isRequired": True}],
        }
    ],
}


def test_list_is_of_mine_and_in_pages(
    api: ApiClient, alice: User, bob: User, django_assert_max_num_queries: Any
) -> None:
    for name in ("a", "b", "c"):
        make_deployment(alice, name, tools=[TOOL])
    member_add(actor=OPERATOR, deployment=make_deployment(bob, "shared"), user=alice)
    make_deployment(bob, "private")
    make_deployment(bob, "public", access="public")
    make_deployment(alice, "gone", state=State.DELETING)
    with django_assert_max_num_queries(12):
        page = api("GET", "deployments?limit=2").body
    assert [row["name"] for row in page["items"]] == ["a", "b"]
    assert page["items"][0]["tool_count"] == 1
    rest = api("GET", f"deployments?limit=2&cursor={page['next']}").body
    assert [(row["name"], row["can_manage"]) for row in rest["items"]] == [("c", True), ("shared", False)]
    assert rest["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=201", "cursor=%00", "cursor=nonsense"])
def test_bad_pages_are_refused(api: ApiClient, query: str) -> None:
    answer = api("GET", f"deployments?{query}")
    assert answer.status == 400
    assert answer.body["errors"][0]["field"] in ("limit", "cursor")


def test_created_from_a_reference(api: ApiClient) -> None:
    answer = api(
        "POST",
        "deployments",
        {
            "reference": "pypi:Demo",
            "name": "Time",
            "access": "public",
            "title": "The time",
            "settings": {"env:ZONE": "Rome"},
            "secrets": {"env:KEY": "hush-hush"},
            "arguments": ["--fast"],
        },
    )
    assert (answer.status, answer.headers["Location"]) == (201, "/api/deployments/alice/time")
    assert {name: answer.body[name] for name in ("owner", "name", "title", "reference", "access", "state")} == {
        "owner": "alice",
        "name": "Time",
        "title": "The time",
        "reference": "pypi:demo",
        "access": "public",
        "state": "queued",
    }
    assert answer.body["mcp_url"] == "http://127.0.0.1:8000/mcp/alice/time"
    given = settings_of(Deployment.objects.get())
    assert dict(given.values) == {"env:ZONE": "Rome", "env:KEY": "hush-hush"}
    assert (given.arguments, given.secret_keys) == (("--fast",), {"env:KEY"})
    assert "hush" not in str(answer.body)
    again = api("POST", "deployments", {"reference": "pypi:demo", "name": "time"})
    assert (again.status, again.code) == (409, "deployment_exists")


def test_created_from_source(api: ApiClient) -> None:
    script = SimpleUploadedFile("server.py", b"# /// script\n# dependencies = []\n# ///\nprint(1)\n")
    answer = api.upload("deployments", source=script, name="mine", settings='{"env:A": "1"}', arguments='["x"]')
    assert (answer.status, answer.body["kind"]) == (201, "source")
    assert answer.body["reference"] == f"source:{SourceArchive.objects.get().digest}"
    assert dict(settings_of(Deployment.objects.get()).values) == {"env:A": "1"}


def test_refused_settings_leave_neither_server_nor_upload(api: ApiClient) -> None:
    script = SimpleUploadedFile("server.py", b"print(1)\n")
    answer = api.upload("deployments", source=script, name="mine", settings='{"env:PATH": "/"}')
    assert (answer.status, answer.code) == (400, "settings_invalid")
    assert answer.body["errors"][0]["field"] == "env:PATH"
    assert not Deployment.objects.exists()
    assert not SourceArchive.objects.exists()


def test_created_from_an_address(api: ApiClient) -> None:
    answer = api("POST", "deployments", {"url": "https://example.org/mcp", "name": "far"})
    assert (answer.status, answer.body["kind"], answer.body["reference"]) == (
        201,
        "remote",
        "remote:https://example.org/mcp",
    )


def test_created_from_a_server_json(api: ApiClient) -> None:
    body = {"server_json": SERVER_JSON, "name": "demo", "secrets": {"API_KEY": "hush-hush"}}
    answer = api("POST", "deployments", body)
    assert (answer.status, answer.body["title"], answer.body["reference"]) == (201, "Demo", "pypi:demo==1.0.0")
    deployment = Deployment.objects.get()
    assert deployment.versions.get().declared[0]["name"] == "API_KEY"
    assert dict(settings_of(deployment).values) == {"env:API_KEY": "hush-hush"}


def test_created_from_a_server_json_with_remotes_only(api: ApiClient) -> None:
    remote = {"type": "streamable-http", "url": "https://example.org/mcp", "headers": [{"name": "X-Key"}]}
    body = {"server_json": {"name": "io.example/demo", "remotes": [remote]}, "name": "demo"}
    body |= {"secrets": {"header:X-Key": "hush-hush"}}
    answer = api("POST", "deployments", body)
    assert (answer.status, answer.body["reference"]) == (201, "remote:https://example.org/mcp")
    assert dict(settings_of(Deployment.objects.get()).values) == {"header:X-Key": "hush-hush"}
    remote["url"] = "https://{tenant}.example.org/mcp"
    assert "can't be the host" in api("POST", "deployments", {**body, "name": "other"}).body["detail"]


def test_created_for_an_organization(api: ApiClient, alice: User, bob: User) -> None:
    organization = Organization.objects.create()
    AccountName.objects.create(display="Acme", folded="acme", organization=organization)
    body = {"reference": "pypi:demo", "name": "time", "owner": "acme"}
    assert api("POST", "deployments", body).code == "account_unknown"
    Membership.objects.create(organization=organization, user=alice, role="publisher")
    assert api("POST", "deployments", body).body["owner"] == "Acme"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": "demo"}, "reference"),
        ({"reference": None}, "reference"),
        ({"reference": ""}, "reference"),
        ({"url": "https://example.org"}, "reference"),
        ({"name": "a/b"}, "name"),
        ({"name": True}, "name"),
        ({"name": ["x"]}, "name"),
        ({"access": "everyone"}, "access"),
        ({"settings": ["x"]}, "settings"),
        ({"settings": {"env:A": {"b": 1}}}, "settings.env:A"),
        ({"server_json": "x"}, "server_json"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_bodies_say_where(api: ApiClient, changes: dict[str, Any], field: str) -> None:
    answer = api("POST", "deployments", {"reference": "pypi:demo", "name": "time", **changes})
    assert answer.status == 400
    assert field in [error["field"] for error in answer.body["errors"]]
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("{", "JSON"),
        ("[" * 200_000, "nested"),
        ('{"name": "\\ud800"}', "surrogate"),
        ('{"name": "a\\u0000b"}', "NUL"),
        ('{"name": NaN}', "JSON"),
        ("[]", "dictionary"),
        ("7", "dictionary"),
    ],
)
def test_what_is_no_sound_json_is_refused(api: ApiClient, raw: str, words: str) -> None:
    answer = api("POST", "deployments", data=raw, content_type="application/json")
    assert answer.status == 400
    assert words in answer.body["detail"]


def test_bodies_are_bounded_and_typed(api: ApiClient, alice: User) -> None:
    make_deployment(alice)
    large = api("PATCH", "deployments/alice/time", {"title": "x" * 600_000})
    assert (large.status, large.code) == (413, "too_large")
    upload = SimpleUploadedFile("server.zip", b"x" * (11 * 1024 * 1024))
    assert api.upload("deployments", source=upload, name="big").status == 413
    other = api("PATCH", "deployments/alice/time", data="title=x", content_type="application/x-www-form-urlencoded")
    assert (other.status, other.code) == (415, "unsupported_media_type")
    unstated = api("PATCH", "deployments/alice/time", HTTP_TRANSFER_ENCODING="chunked")
    assert (unstated.status, unstated.code) == (411, "length_required")


def test_permission_and_quota_are_named(api: ApiClient) -> None:
    body = {"reference": "pypi:demo", "name": "time"}
    with override_settings(SLIPWAY_MEMBERS_MAY=[]):
        answer = api("POST", "deployments", body)
    assert (answer.status, answer.code) == (403, "may_not_host_packages")
    from django.conf import settings

    with override_settings(SLIPWAY_QUOTAS={**settings.SLIPWAY_QUOTAS, "deployments": 0}):
        answer = api("POST", "deployments", body)
    assert (answer.status, answer.code) == (403, "quota_deployments")
    assert answer.body["info"] == {"quota": "deployments", "used": 0, "allowed": 0}


def test_detail_shows_configuration_to_managers_only(api: ApiClient, alice: User, as_bob: ApiClient) -> None:
    make_deployment(alice, access="public")
    own = api("GET", "deployments/ALICE/Time").body
    assert own["configuration"]["limits"] == {
        "memory_bytes": None,
        "processes": None,
        "disk_bytes": None,
        "message_bytes": None,
    }
    assert (own["held_tools"], own["missing_setting"], own["can_manage"]) == (0, None, True)
    others = as_bob("GET", "deployments/alice/time").body
    assert (others["configuration"], others["held_tools"], others["can_manage"]) == (None, None, False)


CHANGES: dict[str, Any] = {
    "title": "Clock",
    "access": "public",
    "limits": {"memory_bytes": 64 * 1024 * 1024, "processes": None, "disk_bytes": None, "message_bytes": None},
    "idle_seconds": 30,
    "egress": "listed",
    "egress_hosts": ["api.example.org"],
    "isolation": "shared",
    "has_data_folder": True,
    "runs_install_code": True,
    "has_tasks": False,
    "hand_off_seconds": 0,
    "asks_on_site": True,
    "file_inputs": ["env:CONFIG"],
    "tool_approval": "automatic",
    "traces_bodies": True,
}


def test_everything_can_be_changed_at_once(api: ApiClient, alice: User) -> None:
    make_deployment(alice)
    answer = api("PATCH", "deployments/alice/time", CHANGES)
    assert answer.status == 200
    found = answer.body["configuration"]
    assert {name: found[name] for name in CHANGES} == CHANGES
    api("PATCH", "deployments/alice/time", {"idle_seconds": None, "limits": {"memory_bytes": None}})
    found = api("GET", "deployments/alice/time").body["configuration"]
    assert (found["idle_seconds"], found["limits"]["memory_bytes"], found["title"]) == (None, None, "Clock")


def test_one_bad_change_changes_nothing(api: ApiClient, alice: User) -> None:
    make_deployment(alice)
    for bad in ({"egress": "listed"}, {"limits": {"memory_bytes": 1}}, {"idle_seconds": 1}, {"is_anonymous": True}):
        answer = api("PATCH", "deployments/alice/time", {"title": "Clock", "access": "public", **bad})
        assert answer.status in (400, 403), bad
    assert (Deployment.objects.get().title, Deployment.objects.get().access) == ("", "private")


@pytest.mark.parametrize(
    "changes", [{"title": 5 * "a\n"}, {"egress_hosts": ["http://x"]}, {"hand_off_seconds": -1}, {"limits": {"x": 1}}]
)
def test_bad_changes_are_refused(api: ApiClient, alice: User, changes: dict[str, Any]) -> None:
    make_deployment(alice)
    answer = api("PATCH", "deployments/alice/time", changes)
    assert answer.status == 400
    assert answer.body["errors"]


def test_files_are_named_by_name_or_key_and_by_managers_only(api: ApiClient, as_bob: ApiClient, alice: User) -> None:
    make_deployment(alice, access="public")
    at = "deployments/alice/time"
    found = api("PATCH", at, {"file_inputs": ["env:CONFIG", "CERTIFICATE", "CONFIG"]}).body["configuration"]
    assert found["file_inputs"] == ["env:CERTIFICATE", "env:CONFIG"]
    bad: Any
    for bad in (["PATH"], ["header:X"], [""], ["x" * 201], ["A"] * 201, "CONFIG", [{}], None):
        assert api("PATCH", at, {"file_inputs": bad}).status == 400, bad
    assert api("PATCH", at, {"file_inputs": ["x" * 600_000]}).status == 413
    assert as_bob("PATCH", at, {"file_inputs": []}).status in (403, 404)
    assert Deployment.objects.get().file_inputs == ["env:CERTIFICATE", "env:CONFIG"]
    assert api("PATCH", at, {"file_inputs": []}).body["configuration"]["file_inputs"] == []


def test_stopped_started_restarted_and_deleted(api: ApiClient, alice: User) -> None:
    make_deployment(alice)
    assert api("POST", "deployments/alice/time/stop").body["state"] == "stopped"
    assert api("POST", "deployments/alice/time/start").body["state"] == "ready"
    assert api("POST", "deployments/alice/time/restart").body["state"] == "ready"
    assert api("DELETE", "deployments/alice/time").status == 204
    assert api("GET", "deployments/alice/time").status == 404
    assert Deployment.objects.get().state == State.DELETING


def test_another_ones_is_the_same_as_none(as_bob: ApiClient, alice: User) -> None:
    make_deployment(alice)
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/stop")):
        theirs = as_bob(method, f"deployments/alice/time{path}", {} if method == "PATCH" else None)
        nobodys = as_bob(method, f"deployments/alice/none{path}", {} if method == "PATCH" else None)
        assert theirs.status == 404
        assert theirs.body == nobodys.body
    assert Deployment.objects.get().state == "ready"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["nothing", "deployments/", "deployments/alice", "deployments/a/b/c/d", "schema/x"])
def test_unknown_addresses_are_problems(api: ApiClient, method: str, path: str) -> None:
    answer = api(method, path)
    assert (answer.status, answer.code, answer.headers["Content-Type"]) == (
        404,
        "not_found",
        "application/problem+json",
    )


def test_wrong_methods_are_problems(api: ApiClient, alice: User) -> None:
    make_deployment(alice)
    answer = api("PUT", "deployments/alice/time", {})
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert "PATCH" in answer.headers["Allow"]
    refused = api("GET", "deployments", HTTP_ACCEPT="text/html")
    assert (refused.status, refused.code) == (406, "not_acceptable")
