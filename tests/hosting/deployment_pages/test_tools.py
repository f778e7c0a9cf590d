"""A deployment's tools: what is held back until its owner approves, and what callers see of it."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.models import Deployment, DeploymentVersion
from hosting.routing import route_for
from hosting.tools.names import OF_TASKS
from hosting.tools.records import policy_of, tools_seen
from tests.factories import make_deployment
from tests.hosting.consent import browser
from tests.hosting.deployment_pages.forms import EVIL, TOOL, told

pytestmark = pytest.mark.django_db


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


def test_the_playground_awaits_the_tools_that_a_client_is_shown(client: Client, held: Deployment) -> None:
    """Not the held one, nor one that is switched off: the list that comes is as high."""
    page = client.get("/d/alice/time/playground")
    assert [tool["name"] for tool in page.context["expected"]] == ["write", *OF_TASKS]
    assert "<code>write</code>" in page.text and "data-expected" in page.text
    client.post("/d/alice/time/tools", {"action": "switch", "tool": "write", "enabled": "0"})
    page = client.get("/d/alice/time/playground")
    assert page.context["expected"] == [] and "data-expected" not in page.text


def test_a_name_that_clients_may_refuse_is_marked(client: Client, deployment: Deployment) -> None:
    tools_seen(deployment.pk, [TOOL])
    assert "name outside the rule" not in client.get("/d/alice/time/tools").content.decode()
    tools_seen(deployment.pk, [TOOL, {"name": "read file"}, {"name": "write file"}])
    DeploymentVersion.objects.update(tools=[TOOL])
    Deployment.objects.update(tool_approval=Deployment.Approval.AUTOMATIC)
    page = client.get("/d/alice/time/tools").content.decode()
    assert page.count("name outside the rule") == 2
    assert page.count("1 to 128 letters") == 1  # why it matters is said once, above them


def test_a_name_of_another_servers_tool_is_flagged(
    client: Client, deployment: Deployment, alice: User, bob: User
) -> None:
    """Threat 35: a client that has both may call one for the other. Of servers that one may not see nothing is said."""
    tools_seen(deployment.pk, [{"name": "send_mail"}, {"name": "other"}])
    theirs, own = make_deployment(bob, "hidden"), make_deployment(alice, "mail")
    tools_seen(theirs.pk, [{"name": "send_mail"}])
    DeploymentVersion.objects.update(tools=[TOOL])
    assert "may call one tool for the other" not in client.get("/d/alice/time/tools").text
    tools_seen(own.pk, [{"name": "Send-Mail"}])
    text = client.get("/d/alice/time/tools").text
    assert (text.count("also at alice/mail<"), text.count("may call one tool for the other")) == (1, 1)
    member_add(actor=OPERATOR, deployment=theirs, user=alice)
    tools_seen(deployment.pk, [{"name": "send_mail", "description": "changed"}, {"name": "other"}])
    page = client.get("/d/alice/time/tools")
    assert "also at alice/mail, bob/hidden<" in page.text
    assert [tool["row"].name for tool in page.context["held"]] == ["send_mail"]


def test_how_a_tool_runs_as_a_task_and_whether_a_second_time(client: Client, deployment: Deployment, bob: User) -> None:
    reading = {**TOOL, "annotations": {"readOnlyHint": True}}
    tools_seen(deployment.pk, [reading, {"name": "write"}])
    Deployment.objects.update(access="public")
    post = {"action": "tasks", "tool": "read", "task_support": "required", "may_run_again": "1"}
    assert browser(bob).post("/d/alice/time/tools", post).status_code == 404
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
    visitor = browser(bob)
    page = visitor.get("/d/alice/time/tools")
    assert page.context["held"] == []
    assert "Some tools are held back" in page.content.decode()
    assert "U+200B" not in page.content.decode()
    for action in ("approve", "approve_all", "switch"):
        response = visitor.post("/d/alice/time/tools", {"action": action, "tool": "read", "enabled": "0"})
        assert response.status_code == 404
    assert policy_of(held.pk).held == {"read"}
