"""The pages about deployments: what they show, to whom, and what their buttons do."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common import ids
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.models import Deployment, DeploymentVersion
from hosting.states import State
from hosting.tools.records import tools_seen
from tests.factories import make_deployment, make_queued, make_runner, make_user, owner_of, place
from tests.hosting.conftest import READ_ONLY, RunnerProcess
from tests.hosting.consent import browser

pytestmark = pytest.mark.django_db
MANAGED = ["versions", "settings", "settings/users", "settings/security", "settings/delete"]
PAGES = ["", "tools", "calls", "logs", "access", *MANAGED]
ACTIONS = ["start", "stop", "restart", "delete"]
TOOL = {"name": "get_current_time", "description": "Tells <b>time</b>", "inputSchema": {"type": "object"}}


@pytest.fixture
def client(alice: User) -> Client:
    return browser(alice)


def test_pages_ask_strangers_to_sign_in(alice: User) -> None:
    make_deployment(alice)
    anybody = Client()
    for path in ("/servers/", "/servers/new", *(f"/d/alice/time/{page}" for page in PAGES)):
        response = anybody.get(path)
        assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")
    for action in ACTIONS:
        assert anybody.post(f"/d/alice/time/{action}").status_code == 302
    assert Deployment.objects.get().state == "ready"


def test_home_is_everybodys(client: Client, alice: User) -> None:
    make_deployment(alice)
    assert Client().get("/").status_code == 200
    response = client.get("/")
    assert [row.name for row in response.context["servers"]] == ["time"]
    assert client.post("/").status_code == 405


def test_my_servers_are_owned_and_shared_ones_only(
    client: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    bob = make_user("bob")
    make_deployment(alice, "mine", tools=[TOOL])
    member_add(actor=OPERATOR, deployment=make_deployment(bob, "shared"), user=alice)
    make_deployment(bob, "private")
    make_deployment(bob, "public", access="public")
    make_deployment(alice, "deleted", state=State.DELETING)
    with django_assert_max_num_queries(8):
        response = client.get("/servers/")
    assert [row.label for row in response.context["deployments"]] == ["alice/mine", "bob/shared"]
    assert response.context["deployments"][0].tool_count == 1


@pytest.mark.parametrize(
    ("resolved", "shown"), [("travel.py 4a4811e73eae", "travel.py 4a4811e73eae"), ("", "source:4a4811")]
)
def test_what_was_uploaded_is_listed_by_its_name(client: Client, alice: User, resolved: str, shown: str) -> None:
    made, reference = make_deployment(alice, resolved=resolved), "source:" + "4a4811" * 10 + "4a48"
    Deployment.objects.filter(pk=made.pk).update(kind="source", reference=reference)
    for path in ("/", "/servers/"):
        page = client.get(path).content.decode()
        assert shown in page and reference not in page


def test_hosting_from_the_page(client: Client) -> None:
    assert client.get("/servers/new").status_code == 200
    fields = {"reference": "pypi:Demo", "name": "Time", "owner": "alice", "access": "public"}
    response = client.post("/servers/new", fields)
    assert (response.status_code, response["Location"]) == (302, "/d/alice/time/")
    deployment = Deployment.objects.get()
    assert (deployment.reference, deployment.name, deployment.access) == ("pypi:demo", "Time", "public")
    again = client.post("/servers/new", fields)
    assert again.status_code == 400
    assert "already" in again.content.decode()


def test_a_server_without_a_name_is_called_like_its_package(client: Client) -> None:
    fields = {"reference": "pypi:mcp-server-demo", "name": "", "owner": "alice", "access": "private"}
    for name in ("demo", "demo-2", "demo-3"):
        assert client.post("/servers/new", fields)["Location"] == f"/d/alice/{name}/"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": "demo"}, "reference"),
        ({"reference": ""}, "reference"),
        ({"name": "a/b"}, "name"),
        ({"name": "", "reference": "npm:-"}, "name"),
        ({"owner": "bob"}, "owner"),
        ({"owner": ""}, "owner"),
        ({"access": "everyone"}, "access"),
    ],
)
def test_bad_forms_say_where(client: Client, changes: dict[str, str], field: str) -> None:
    make_user("bob")
    fields = {"reference": "pypi:demo", "name": "time", "owner": "alice", "access": "private", **changes}
    response = client.post("/servers/new", fields)
    assert response.status_code == 400
    assert field in response.context["form"].errors
    assert not Deployment.objects.exists()


def test_every_form_needs_a_csrf_token(alice: User) -> None:
    make_deployment(alice)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    posts = ["tools", "access", *MANAGED]
    for path in ("/servers/new", *(f"/d/alice/time/{action}" for action in [*ACTIONS, *posts])):
        assert strict.post(path, {"confirm": "time"}).status_code == 403
    assert Deployment.objects.get().state == "ready"


def test_the_owner_sees_everything(client: Client, alice: User) -> None:
    deployment = make_deployment(alice, build_log="Resolved 1 package", notices=["Resolved as of <b>2024</b>"])
    tools_seen(deployment.pk, [TOOL])
    DeploymentVersion.objects.update(tools=[TOOL])
    response = client.get("/d/ALICE/Time/")
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("max-age=0")
    assert response.context["mcp_url"].endswith("/mcp/alice/time")
    assert response.context["can_manage"] is True
    tools = client.get("/d/alice/time/tools")
    assert [tool["name"] for tool in tools.context["tools"]] == ["get_current_time"]
    assert "get_current_time" in tools.content.decode()
    assert "<b>time</b>" not in tools.content.decode()
    versions = client.get("/d/alice/time/versions")
    assert [row["version"].number for row in versions.context["versions"]] == [1]
    assert "Resolved 1 package" in versions.content.decode()
    assert "<b>2024" not in versions.content.decode()
    members = client.get("/d/alice/time/access").context["members"]
    assert [(member.user.username, member.role) for member in members] == [("alice", "owner")]


def test_members_and_the_public_see_what_they_need_and_no_more(alice: User) -> None:
    bob, carol = make_user("bob"), make_user("carol")
    shared = make_deployment(alice, "shared", build_log="secret log")
    member_add(actor=OPERATOR, deployment=shared, user=bob)
    make_deployment(alice, "public", access="public", build_log="secret log")
    for user, name in ((bob, "shared"), (carol, "public")):
        visitor = browser(user)
        for page in ("", "tools", "calls", "access"):
            response = visitor.get(f"/d/alice/{name}/{page}")
            assert response.status_code == 200
            assert response.context["can_manage"] is False
            assert "secret log" not in response.content.decode()
        assert visitor.get(f"/d/alice/{name}/access").context["members"] == []
        for page in MANAGED:
            assert visitor.get(f"/d/alice/{name}/{page}").status_code == 404
            assert visitor.post(f"/d/alice/{name}/{page}").status_code in (404, 405)
    for page in PAGES:
        assert browser(carol).get(f"/d/alice/shared/{page}").status_code == 404


def test_a_build_under_way_is_shown(client: Client, alice: User) -> None:
    make_queued(alice)
    response = client.get("/d/alice/time/")
    assert response.context["build"] == {"text": "queued for building", "fraction": None}
    assert client.get("/d/alice/time/tools").context["tools_known"] is False


def test_output_comes_from_the_runner(client: Client, alice: User, runner_process: RunnerProcess) -> None:
    import sys

    from hosting.looks.inspection import deployment_inspect

    argv = [sys.executable, "-I", "-c", "import sys; sys.exit('no <i>database</i> configured')"]
    deployment = make_deployment(alice, argv=argv, read_only=READ_ONLY)
    make_runner(address=runner_process.address)
    deployment_inspect(deployment.pk)
    response = client.get("/d/alice/time/logs")
    assert "no <i>database</i> configured" in [line.line for line in response.context["output"]]
    assert "<i>database</i>" not in response.content.decode()
    assert client.get("/d/alice/time/logs?text=DATABASE").context["output"]
    assert not client.get("/d/alice/time/logs?text=else&stream=protocol").context["output"]


def test_what_a_callers_own_instance_prints_is_the_callers(
    client: Client, runner_process: RunnerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from hosting.fleet.placing import placement_ensure
    from hosting.routing import placement_for
    from hosting.runner import control
    from hosting.runner.frames import EndRule
    from hosting.stream.links import runner_links
    from tests.hosting.conftest import server_argv

    bob, carol = make_user("bob"), make_user("carol")
    deployment = make_deployment(make_user("dave"), argv=server_argv("legacy"), read_only=READ_ONLY, access="public")
    make_runner(address=runner_process.address)
    placement_ensure(deployment.pk)
    address, placement = placement_for(deployment.pk)

    async def crash() -> None:
        async with runner_links() as pool:
            link = await pool.link(address)
            await link.ask(control.Place(placement))
            owner = f"{bob.pk} cli {deployment.pk}"
            call = link.open(
                deployment=placement.deployment, epoch=placement.epoch, owner=owner, isolation=owner,
                method="tools/call", params=b'{"name":"crash"}', revision="2026-07-28", end=EndRule.CANCEL,
            )  # fmt: skip
            while (await call.next()).kind.name != "ERROR":
                pass

    asyncio.run(crash())
    monkeypatch.setattr(
        "hosting.stream.output.TAIL_SECONDS", 30.0
    )  # a page waits a second, a busy machine may take longer

    def printed(user: User) -> list[str]:
        return [line.line for line in browser(user).get("/d/dave/time/logs").context["output"]]

    assert printed(bob) == ["about to crash"]
    assert printed(carol) == printed(owner_of(deployment)) == []


def test_a_runner_that_doesnt_answer_costs_no_page(client: Client, alice: User) -> None:
    place(make_deployment(alice), make_runner())
    response = client.get("/d/alice/time/logs")
    assert (response.status_code, response.context["output"]) == (200, [])


@pytest.mark.parametrize("path", ["/d/alice/other/", "/d/nobody/time/", "/d/alice/%00/", "/d/alice/deleted/"])
def test_unknown_ones_are_not_found(client: Client, alice: User, path: str) -> None:
    make_deployment(alice, "deleted", state=State.DELETING)
    for page in PAGES:
        assert client.get(f"{path}{page}").status_code == 404
    for action in ACTIONS:
        assert client.post(f"{path}{action}").status_code == 404


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("stop", State.RUNNING, "stopped"), ("start", State.STOPPED, "ready"), ("restart", State.FAILED, "ready")],
)
def test_buttons(client: Client, alice: User, action: str, before: State, after: str) -> None:
    deployment = make_deployment(alice, state=before)
    response = client.post(f"/d/alice/time/{action}")
    assert (response.status_code, response["Location"]) == (302, "/d/alice/time/")
    deployment.refresh_from_db()
    assert deployment.state == after


def test_a_restart_that_cant_be_is_explained(client: Client, alice: User) -> None:
    make_queued(alice)
    response = client.post("/d/alice/time/restart", follow=True)
    assert "still being built" in " ".join(str(message) for message in response.context["messages"])


def test_deleting_wants_the_name(client: Client, alice: User) -> None:
    deployment = make_deployment(alice)
    for confirm in ({}, {"confirm": "other"}):
        response = client.post("/d/alice/time/delete", confirm, follow=True)
        assert "Nothing was deleted" in " ".join(str(message) for message in response.context["messages"])
    response = client.post("/d/alice/time/delete", {"confirm": "time"})
    assert (response.status_code, response["Location"]) == (302, "/servers/")
    deployment.refresh_from_db()
    assert deployment.state == "deleting"
    assert client.get("/d/alice/time/").status_code == 404


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("access", ["private", "public"])
def test_others_deployments_cant_be_touched(client: Client, action: str, access: str) -> None:
    deployment = make_deployment(make_user("bob"), access=access)
    assert client.post(f"/d/bob/time/{action}", {"confirm": "time"}).status_code == 404
    deployment.refresh_from_db()
    assert deployment.state == "ready"


@pytest.mark.parametrize("action", ACTIONS)
def test_buttons_are_posts(client: Client, alice: User, action: str) -> None:
    make_deployment(alice)
    assert client.get(f"/d/alice/time/{action}").status_code == 405
    assert client.put("/d/alice/time/").status_code == 405


def test_ids_in_addresses_are_no_way_in(client: Client) -> None:
    assert client.get(f"/d/{ids.new_uuid()}/{ids.new_uuid()}/").status_code == 404
