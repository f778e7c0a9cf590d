"""The pages of one deployment: what their forms do, what they refuse, and what they never show."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.access.grants import ANONYMOUS, permission_grant
from hosting.access.members import member_add
from hosting.configuration.given import settings_of
from hosting.kinds.declared import Declared, to_json
from hosting.models import CallRecord, Deployment, DeploymentVersion, EgressRecord, SourceArchive
from hosting.routing import route_for
from hosting.states import State
from hosting.tools.records import policy_of, tools_seen
from oauth.models import EndpointToken
from oauth.services import endpoint_token_issue
from tests.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
SECRET = "hunter2-hunter2"
EVIL = "<script>alert(1)</script>"
TOOL = {"name": "read", "description": "Reads.", "inputSchema": {"type": "object"}}
DECLARED = [
    Declared(name="API_KEY", where="env", is_secret=True, is_required=True, description=EVIL),
    Declared(name="MODE", where="env", choices=("fast", "slow"), default=EVIL),
    Declared(name="port", where="argument", flag="--port", format="number", placeholder=EVIL, position=0),
]


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def client(alice: User) -> Client:
    return as_user(alice)


@pytest.fixture
def deployment(alice: User) -> Deployment:
    return make_deployment(alice, declared=to_json(DECLARED))


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def save_inputs(client: Client, **fields: str) -> Any:
    return client.post("/d/alice/time/settings", {"section": "inputs", **fields}, follow=True)


def field_of(client: Client, name: str) -> str:
    """The form field in which a setting is typed."""
    form = client.get("/d/alice/time/settings").context["inputs"]
    return str(next(row["field"].name for row in [*form.declared_rows, *form.added_rows] if row["field"].label == name))


# --- settings


def test_a_secret_goes_in_and_never_comes_out(client: Client, deployment: Deployment) -> None:
    key = field_of(client, "API_KEY")
    save_inputs(client, **{key: f"  {SECRET}\r\n", "blank0_name": "OTHER", "blank0_value": SECRET})
    deployment.refresh_from_db()
    assert dict(settings_of(deployment).values) == {"env:API_KEY": SECRET, "env:OTHER": SECRET}
    pages = [client.get(f"/d/alice/time/{page}").content.decode() for page in ("", "settings", "logs", "versions")]
    assert SECRET not in "".join(pages)
    assert pages[1].count("Set on ") == 2
    save_inputs(client)  # empty: stays
    save_inputs(client, **{f"{field_of(client, 'OTHER')}_remove": "on"})
    deployment.refresh_from_db()
    assert dict(settings_of(deployment).values) == {"env:API_KEY": SECRET}


def test_a_refused_form_does_not_repeat_the_secret(client: Client, deployment: Deployment) -> None:
    fields = {field_of(client, "API_KEY"): SECRET, "blank0_name": "LD_PRELOAD", "blank0_value": SECRET}
    response = save_inputs(client, **fields)
    assert response.status_code == 400
    page = response.content.decode()
    assert "LD_PRELOAD is set by the platform itself" in page
    assert SECRET not in page
    deployment.refresh_from_db()
    assert deployment.inputs == {}


def test_plain_settings_are_shown_and_checked(client: Client, deployment: Deployment) -> None:
    port = field_of(client, "--port")
    response = save_inputs(client, **{port: "http"})
    assert response.status_code == 400
    assert response.context["inputs"].errors[port] == ["This is a number."]
    fields = {port: "80", field_of(client, "MODE"): "slow", "arguments": "--verbose\r\ntwo words\r\n"}
    save_inputs(client, **fields, blank0_name="DEBUG", blank0_value="line 1\r\nline 2", blank0_shown="on")
    deployment.refresh_from_db()
    given = settings_of(deployment)
    assert dict(given.values) == {"argument:port": "80", "env:MODE": "slow", "env:DEBUG": "line 1\nline 2"}
    assert given.arguments == ("--verbose", "two words")
    assert "line 1\nline 2" in client.get("/d/alice/time/settings").content.decode()
    save_inputs(client, **{**fields, port: ""}, **{f"{field_of(client, 'DEBUG')}_remove": "on"})
    deployment.refresh_from_db()
    assert dict(settings_of(deployment).values) == {"env:MODE": "slow"}


def test_a_publishers_words_are_text(client: Client, deployment: Deployment) -> None:
    page = client.get("/d/alice/time/settings").content.decode()
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_the_missing_setting_is_where_the_focus_is(client: Client, deployment: Deployment) -> None:
    deployment.versions.update(missing="API_KEY")
    Deployment.objects.update(state=State.FAILED, reason="exited with code 1")
    page = client.get("/d/alice/time/").content.decode()
    link = re.search(r'href="([^"]+missing=API_KEY)"', page)
    assert link
    settings = client.get(link[1]).content.decode()
    assert "did not start because API_KEY is not set" in settings
    assert re.search(r"<textarea[^>]*autofocus", settings)
    unknown = client.get("/d/alice/time/settings?missing=TOKEN").content.decode()
    assert re.search(r'name="blank0_name"[^>]*value="TOKEN"', unknown)
    assert EVIL not in client.get("/d/alice/time/settings", {"missing": EVIL}).content.decode()


def test_what_is_still_to_be_set_is_named(client: Client, deployment: Deployment) -> None:
    assert client.get("/d/alice/time/settings").context["unset"] == ["API_KEY"]


@pytest.mark.parametrize(
    ("section", "fields", "column", "value"),
    [
        ("limits", {"memory_bytes": "64.5", "idle_seconds": "30"}, "limits", {"memory_bytes": 67_633_152}),
        ("limits", {"idle_seconds": "30"}, "idle_seconds", 30),
        ("network", {"egress": "listed", "egress_hosts": "a.org\r\n*.b.org"}, "egress_hosts", ["a.org", "*.b.org"]),
        ("isolation", {"isolation": "shared"}, "isolation", "shared"),
        ("data", {"has_data_folder": "on"}, "has_data_folder", True),
        ("tasks", {"hand_off_seconds": "20"}, "has_tasks", False),
        ("tasks", {"has_tasks": "on", "hand_off_seconds": "20"}, "hand_off_seconds", 20),
        ("approval", {"tool_approval": "automatic"}, "tool_approval", "automatic"),
        ("install", {"runs_install_code": "on"}, "runs_install_code", True),
        ("tracing", {"traces_bodies": "on"}, "traces_bodies", True),
    ],
)
def test_sections_are_saved_one_by_one(
    client: Client, deployment: Deployment, section: str, fields: dict[str, str], column: str, value: Any
) -> None:
    response = client.post("/d/alice/time/settings", {"section": section, **fields})
    assert (response.status_code, response["Location"]) == (302, f"/d/alice/time/settings#{section}")
    deployment.refresh_from_db()
    assert getattr(deployment, column) == value


@pytest.mark.parametrize(
    ("section", "fields", "field"),
    [
        ("limits", {"memory_bytes": "1e300"}, "memory_bytes"),
        ("limits", {"memory_bytes": "nan"}, "memory_bytes"),
        ("limits", {"memory_bytes": "64", "idle_seconds": "1"}, "idle_seconds"),
        ("limits", {"processes": "-1"}, "processes"),
        ("network", {"egress": "listed", "egress_hosts": ""}, "egress_hosts"),
        ("network", {"egress": "listed", "egress_hosts": "https://a.org/"}, "egress_hosts"),
        ("network", {"egress": "all"}, "egress"),
        ("isolation", {}, "isolation"),
        ("approval", {"tool_approval": "never"}, "tool_approval"),
        ("tasks", {"has_tasks": "on", "hand_off_seconds": "-1"}, "hand_off_seconds"),
        ("tasks", {"has_tasks": "on"}, "hand_off_seconds"),
    ],
)
def test_mistakes_are_told_at_their_field(
    client: Client, deployment: Deployment, section: str, fields: dict[str, str], field: str
) -> None:
    response = client.post("/d/alice/time/settings", {"section": section, **fields})
    assert response.status_code == 400
    assert field in response.context[f"{section}_form"].errors
    before = deployment.changed_at
    deployment.refresh_from_db()
    assert deployment.changed_at == before


def test_an_unknown_section_changes_nothing(client: Client, deployment: Deployment) -> None:
    assert client.post("/d/alice/time/settings", {"section": "nope"}).status_code == 400
    assert client.post("/d/alice/time/settings").status_code == 400


# --- tools


@pytest.fixture
def held(deployment: Deployment) -> Deployment:
    tools_seen(deployment.pk, [TOOL, {"name": "write"}])
    DeploymentVersion.objects.update(tools=[TOOL])
    tools_seen(deployment.pk, [{**TOOL, "description": f"Reads.\u200b {EVIL}"}, {"name": "write"}])
    return deployment


def test_a_held_tool_is_shown_with_its_change_and_approved(client: Client, held: Deployment) -> None:
    response = client.get("/d/alice/time/tools")
    page = response.content.decode()
    assert [tool["row"].name for tool in response.context["held"]] == ["read"]
    assert "Reads.⟦U+200B⟧" in page
    assert EVIL not in page
    (change,) = response.context["held"][0]["changes"]
    assert [line["mark"] for line in change["lines"]] == ["-", "+"]
    assert response.context["held"][0]["is_odd"]
    digest = response.context["held"][0]["row"].seen_digest
    post = {"action": "approve", "tool": "read", "digest": "0" * 64}
    assert "changed again" in told(client.post("/d/alice/time/tools", post, follow=True))
    assert policy_of(held.pk).held == {"read"}
    client.post("/d/alice/time/tools", {**post, "digest": digest})
    assert policy_of(held.pk).held == frozenset()


def test_tools_are_switched_off_and_all_approved_at_once(client: Client, held: Deployment) -> None:
    client.post("/d/alice/time/tools", {"action": "switch", "tool": "write", "enabled": "0"})
    digests = [tool["row"].seen_digest for tool in client.get("/d/alice/time/tools").context["held"]]
    client.post("/d/alice/time/tools", {"action": "approve_all", "digest": digests})
    policy = policy_of(held.pk)
    assert (policy.off, policy.held) == ({"write"}, frozenset())
    unknown = client.post("/d/alice/time/tools", {"action": "switch", "tool": "nope\0", "enabled": "0"}, follow=True)
    assert "no such tool" in told(unknown)


def test_a_name_that_clients_may_refuse_is_marked(client: Client, deployment: Deployment) -> None:
    tools_seen(deployment.pk, [TOOL])
    assert "name outside the rule" not in client.get("/d/alice/time/tools").content.decode()
    tools_seen(deployment.pk, [TOOL, {"name": "read file"}])
    DeploymentVersion.objects.update(tools=[TOOL])
    Deployment.objects.update(tool_approval=Deployment.Approval.AUTOMATIC)
    page = client.get("/d/alice/time/tools").content.decode()
    assert page.count("name outside the rule") == 1
    assert "1 to 128 letters" in page


def test_a_name_of_another_servers_tool_is_flagged(
    client: Client, deployment: Deployment, alice: User, bob: User
) -> None:
    """Threat 35: a client that has both may call one for the other. Of servers that one may not see nothing is said."""
    tools_seen(deployment.pk, [{"name": "send_mail"}, {"name": "other"}])
    theirs, own = make_deployment(bob, "hidden"), make_deployment(alice, "mail")
    tools_seen(theirs.pk, [{"name": "send_mail"}])
    DeploymentVersion.objects.update(tools=[TOOL])
    assert "may call one for the other" not in client.get("/d/alice/time/tools").text
    tools_seen(own.pk, [{"name": "Send-Mail"}])
    assert client.get("/d/alice/time/tools").text.count("Also at alice/mail: a client that is connected") == 1
    member_add(actor=OPERATOR, deployment=theirs, user=alice)
    tools_seen(deployment.pk, [{"name": "send_mail", "description": "changed"}, {"name": "other"}])
    page = client.get("/d/alice/time/tools")
    assert "Also at alice/mail, bob/hidden: a client that is connected" in page.text
    assert [tool["row"].name for tool in page.context["held"]] == ["send_mail"]


def test_how_a_tool_runs_as_a_task_and_whether_a_second_time(client: Client, deployment: Deployment, bob: User) -> None:
    reading = {**TOOL, "annotations": {"readOnlyHint": True}}
    tools_seen(deployment.pk, [reading, {"name": "write"}])
    Deployment.objects.update(access="public")
    post = {"action": "tasks", "tool": "read", "task_support": "required", "may_run_again": "1"}
    assert as_user(bob).post("/d/alice/time/tools", post).status_code == 404
    client.post("/d/alice/time/tools", post)
    route = route_for("alice", "time")
    assert route is not None
    assert (route.task_support, route.may_run_again) == ({"read": "required"}, {"read"})
    refused = client.post("/d/alice/time/tools", {**post, "tool": "write"}, follow=True)
    assert "never run a second time" in told(refused)
    client.post("/d/alice/time/tools", {**post, "task_support": "nonsense", "may_run_again": ""})
    tools_seen(deployment.pk, [{**reading, "annotations": {}}, {"name": "write"}])
    route = route_for("alice", "time")
    assert route is not None
    assert (route.task_support["read"], route.may_run_again) == ("required", frozenset())  # it says so no more
    assert "always" in client.get("/d/alice/time/tools").content.decode()


def test_a_caller_sees_no_held_text_and_changes_nothing(held: Deployment, bob: User) -> None:
    Deployment.objects.update(access="public")
    visitor = as_user(bob)
    page = visitor.get("/d/alice/time/tools")
    assert page.context["held"] == []
    assert "Some tools are held back" in page.content.decode()
    assert "U+200B" not in page.content.decode()
    for action in ("approve", "approve_all", "switch"):
        response = visitor.post("/d/alice/time/tools", {"action": action, "tool": "read", "enabled": "0"})
        assert response.status_code == 404
    assert policy_of(held.pk).held == {"read"}


# --- calls


def test_callers_see_their_own_calls_and_owners_all(client: Client, deployment: Deployment, bob: User) -> None:
    Deployment.objects.update(access="public")
    for user, tool in ((bob, "read"), (None, EVIL)):
        CallRecord.objects.create(deployment=deployment, method="tools/call", tool=tool, user=user, microseconds=1500)
    page = client.get("/d/alice/time/calls")
    assert len(page.context["calls"]) == 2
    assert [tool.calls for tool in page.context["stats"].tools] == [1, 1]
    assert EVIL not in page.content.decode()
    assert "1.5 ms" in page.content.decode()
    own = as_user(bob).get("/d/alice/time/calls")
    assert ([call.tool for call in own.context["calls"]], own.context["stats"]) == (["read"], None)
    assert len(client.get("/d/alice/time/calls?tool=read&status=ok").context["calls"]) == 1
    for odd in ("after=x", "after=2020-01-01T00:00:00%2B00:00~1", "status=nope", "tool=%00", "tool=" + "x" * 3000):
        assert client.get(f"/d/alice/time/calls?{odd}").status_code == 200


def test_older_calls_are_on_further_pages(client: Client, deployment: Deployment) -> None:
    now = clock.now()
    CallRecord.objects.bulk_create(
        CallRecord(deployment=deployment, method="ping", at=now - timedelta(seconds=i)) for i in range(60)
    )
    first = client.get("/d/alice/time/calls")
    second = client.get(f"/d/alice/time/calls?{first.context['older']}")
    assert (len(first.context["calls"]), len(second.context["calls"]), second.context["older"]) == (50, 10, "")


def test_connections_are_added_up_by_host(client: Client, deployment: Deployment) -> None:
    today = clock.now().date()
    for days, host in ((0, "api.example.org"), (1, "api.example.org"), (2, EVIL), (30, "long.ago")):
        EgressRecord.objects.create(
            deployment=deployment,
            day=today - timedelta(days=days),
            host=host,
            port=443,
            connections=2,
            refused=1,
            octets=2048,
        )
    page = client.get("/d/alice/time/logs")
    found = [(row.host, row.connections, row.refused, row.octets) for row in page.context["connections"]]
    assert found == [("api.example.org", 4, 2, 4096), (EVIL, 2, 1, 2048)]
    assert EVIL not in page.content.decode()


# --- versions


def test_roll_back_and_update_from_the_page(client: Client, deployment: Deployment) -> None:
    first = deployment.versions.get()
    second = DeploymentVersion.objects.create(
        deployment=deployment, number=2, reference="pypi:demo", environment=first.environment, built_at=clock.now()
    )
    Deployment.objects.update(current_version=second)
    page = client.get("/d/alice/time/versions")
    assert page.context["deployed_by"] == {1: "operator"}
    assert [row["same_as"] for row in page.context["versions"]] == [1, None]
    assert "there was nothing newer" in page.content.decode()
    client.post("/d/alice/time/versions", {"action": "roll_back", "number": "1"})
    deployment.refresh_from_db()
    assert deployment.current_version == first
    for number in ("9", "", "x", "-1", "9" * 20, "١"):
        client.post("/d/alice/time/versions", {"action": "roll_back", "number": number})
    client.post("/d/alice/time/versions", {"action": "update"})
    deployment.refresh_from_db()
    assert (deployment.versions.count(), deployment.state) == (3, State.QUEUED)
    again = client.post("/d/alice/time/versions", {"action": "update"}, follow=True)
    assert "being built already" in told(again)


def test_something_else_is_deployed_as_a_package_or_a_file(client: Client, deployment: Deployment) -> None:
    path = "/d/alice/time/versions"
    assert client.post(path, {"action": "deploy", "reference": "pypi:other"}).status_code == 302
    script = SimpleUploadedFile("server.py", b"print('hello')\n")
    assert client.post(path, {"action": "deploy", "source": script}).status_code == 302
    deployment.refresh_from_db()
    assert deployment.reference == f"source:{SourceArchive.objects.get().digest}"
    for bad in ({}, {"reference": "nonsense"}, {"reference": "pypi:a", "source": SimpleUploadedFile("a.py", b"1")}):
        assert client.post(path, {"action": "deploy", **bad}).status_code == 400
    assert client.post(path, {"action": "deploy", "source": SimpleUploadedFile("a.exe", b"MZ")}).status_code == 400


def test_hosting_an_upload(client: Client) -> None:
    fields = {"name": "mine", "owner": "alice", "access": "private"}
    script = SimpleUploadedFile("server.py", b"print('hello')\n")
    assert client.post("/servers/new", {**fields, "source": script}).status_code == 302
    assert Deployment.objects.get().kind == "source"
    empty = client.post("/servers/new", {**fields, "name": "other", "source": SimpleUploadedFile("server.py", b"")})
    assert empty.status_code == 400
    assert "source" in empty.context["form"].errors or empty.context["form"].non_field_errors()


# --- access


def test_members_come_and_go(client: Client, deployment: Deployment, bob: User) -> None:
    path = "/d/alice/time/access"
    assert client.post(path, {"action": "members", "member": "BOB"}).status_code == 302
    assert as_user(bob).get("/d/alice/time/").status_code == 200
    unknown = client.post(path, {"action": "members", "member": "nobody\0"})
    assert unknown.status_code == 400
    assert "member" in unknown.context["members_form"].errors
    client.post(path, {"action": "remove_member", "member": "alice"})
    client.post(path, {"action": "remove_member", "member": "bob"})
    assert as_user(bob).get("/d/alice/time/").status_code == 404
    client.post(path, {"action": "visibility", "access": "public"})
    assert as_user(bob).get("/d/alice/time/").status_code == 200
    assert client.post(path, {"action": "visibility", "access": "all"}).status_code == 400


def test_anonymous_access_takes_a_permission_and_for_secrets_a_confirmation(
    client: Client, deployment: Deployment, alice: User
) -> None:
    path, post = "/d/alice/time/access", {"action": "anonymous", "is_on": "on"}
    assert "which the operator of this site grants" in client.get(path).content.decode()
    refused = client.post(path, post)
    assert refused.status_code == 400
    assert "An operator of this site can grant it" in str(refused.context["anonymous_form"].errors)
    permission_grant(actor=OPERATOR, user=alice, permission=ANONYMOUS)
    save_inputs(client, **{field_of(client, "API_KEY"): SECRET})
    unconfirmed = client.post(path, post)
    assert "shares_credentials" in unconfirmed.context["anonymous_form"].errors
    assert client.post(path, {**post, "shares_credentials": "on"}).status_code == 302
    deployment.refresh_from_db()
    assert (deployment.is_anonymous, deployment.shares_credentials) == (True, True)
    client.post(path, {"action": "anonymous"})
    deployment.refresh_from_db()
    assert deployment.is_anonymous is False


def test_a_token_is_shown_once_and_revoked(client: Client, deployment: Deployment) -> None:
    path = "/d/alice/time/access"
    response = client.post(path, {"action": "token", "ttl": "3600", "note": EVIL})
    token = response.context["issued"]
    assert token.count(".") == 2
    assert token in response.content.decode()
    assert response["Cache-Control"].startswith("max-age=0")
    page = client.get(path).content.decode()
    assert token not in page
    assert EVIL not in page
    row = EndpointToken.objects.get()
    assert row.resource.endswith("/mcp/alice/time")
    client.post(path, {"action": "revoke_token", "token": str(row.pk)})
    row.refresh_from_db()
    assert row.revoked_at is not None
    for ttl in ("0", "86401", "x", ""):
        assert client.post(path, {"action": "token", "ttl": ttl}).status_code == 400
    for odd in ("", "x", str(deployment.pk)):
        assert client.post(path, {"action": "revoke_token", "token": odd}).status_code == 302


def test_members_have_tokens_of_their_own_and_no_more(client: Client, deployment: Deployment, bob: User) -> None:
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    path, member = "/d/alice/time/access", as_user(bob)
    client.post(path, {"action": "token", "ttl": "3600", "note": "of alice"})
    assert member.post(path, {"action": "token", "ttl": "3600", "note": "of bob"}).context["issued"]
    assert [token.note for token in member.get(path).context["tokens"]] == ["of bob"]
    assert len(client.get(path).context["tokens"]) == 2
    of_alice = EndpointToken.objects.get(note="of alice")
    member.post(path, {"action": "revoke_token", "token": str(of_alice.pk)})
    of_alice.refresh_from_db()
    assert of_alice.revoked_at is None
    for action in ("visibility", "anonymous", "members", "remove_member"):
        answer = member.post(path, {"action": action, "access": "public", "member": "bob"})
        assert answer.status_code == 404
    client.post(path, {"action": "revoke_token", "token": str(EndpointToken.objects.get(note="of bob").pk)})
    assert EndpointToken.objects.get(note="of bob").revoked_at is not None


def test_a_token_of_another_server_is_not_revoked_here(client: Client, deployment: Deployment, bob: User) -> None:
    other = make_deployment(bob)
    row, _ = endpoint_token_issue(
        actor=OPERATOR, user=bob, deployment_id=other.pk, resource="x", scopes=["mcp:read"], ttl_seconds=60
    )
    client.post("/d/alice/time/access", {"action": "revoke_token", "token": str(row.pk)})
    row.refresh_from_db()
    assert row.revoked_at is None


@pytest.mark.parametrize("tab", ["", "tools", "calls", "logs", "versions", "settings", "access"])
def test_pages_need_few_queries(client: Client, held: Deployment, tab: str, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(17):
        assert client.get(f"/d/alice/time/{tab}").status_code == 200
