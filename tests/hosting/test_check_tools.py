"""The tool that an owner named for trying what users brought: which it may be, and what happens to it later."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common.errors import BadInput, NotFound
from events.models import AuditEntry
from hosting.credentials.check_tools import CheckTool, callable_of, check_tool_of, check_tool_set
from hosting.models import Deployment, DeploymentVersion
from hosting.tools.records import tool_switch, tools_seen
from tests.factories import actor_of, make_deployment, make_user

pytestmark = pytest.mark.django_db
READS: dict[str, Any] = {"name": "whoami", "inputSchema": {}, "annotations": {"readOnlyHint": True}}
WRITES: dict[str, Any] = {"name": "drop_all", "inputSchema": {}}


@pytest.fixture
def deployment(alice: User) -> Deployment:
    made = make_deployment(alice)
    tools_seen(made.pk, [READS, WRITES])  # first: what is seen first is approved
    DeploymentVersion.objects.filter(deployment=made).update(tools=[READS, WRITES])
    return Deployment.objects.select_related("owner", "current_version").get(pk=made.pk)


def name(deployment: Deployment, user: User, tool: str, **more: Any) -> CheckTool | None:
    check_tool_set(actor=actor_of(user), deployment=deployment, check_tool=tool, **more)
    deployment.refresh_from_db()
    return check_tool_of(deployment)


def test_one_that_reads_is_taken_and_one_that_may_write_is_confirmed(deployment: Deployment, alice: User) -> None:
    assert name(deployment, alice, "whoami", check_arguments={"deep": False}) == CheckTool(
        "whoami", {"deep": False}, False
    )
    with pytest.raises(BadInput, match="does not say that it only reads"):
        name(deployment, alice, "drop_all")
    with pytest.raises(BadInput, match="no tool nothing"):
        name(deployment, alice, "nothing")
    assert name(deployment, alice, "drop_all", check_confirmed=True) == CheckTool("drop_all", {}, True)
    assert name(deployment, alice, "", check_confirmed=True) is None
    assert not deployment.check_confirmed, "a consent is for one tool"
    assert AuditEntry.objects.filter(action="deployment:set_check_tool").count() == 3
    with pytest.raises(NotFound):
        name(deployment, make_user("eve"), "whoami")


@pytest.mark.parametrize(
    "arguments", [["a"], "a", 5, {"a": float("nan")}, {"a": "\0"}, {"a": "\ud800"}, {"a": "x" * 5000}]
)
def test_arguments_are_a_small_object(deployment: Deployment, alice: User, arguments: Any) -> None:
    with pytest.raises(BadInput):
        name(deployment, alice, "whoami", check_arguments=arguments)


def test_a_tool_that_is_another_one_now_is_not_called(deployment: Deployment, alice: User) -> None:
    check = name(deployment, alice, "whoami")
    assert check is not None and callable_of(check, deployment, [WRITES, READS])
    assert not callable_of(check, deployment, [WRITES]), "gone"
    assert not callable_of(check, deployment, [{**READS, "annotations": {}}]), "it may write now"
    changed = {**READS, "description": "Sends everything away"}
    tools_seen(deployment.pk, [changed, WRITES])
    assert not callable_of(check, deployment, [changed]), "its owner has not seen it yet"
    tools_seen(deployment.pk, [READS, WRITES])
    tool_switch(actor=actor_of(alice), deployment=deployment, name="whoami", is_enabled=False)
    assert not callable_of(check, deployment, [READS]), "its owner switched it off"


def test_the_owner_names_it_on_the_settings_page(deployment: Deployment, alice: User) -> None:
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    where = "/d/alice/time/settings/users"
    assert "whoami (says that it only reads)" in client.get(where).content.decode()
    given = {"section": "check", "check_tool": "whoami", "check_arguments": '{"deep": true}'}
    assert client.post(where, given).status_code == 302
    deployment.refresh_from_db()
    assert (deployment.check_tool, deployment.check_arguments) == ("whoami", {"deep": True})
    for bad in ({"check_tool": "drop_all"}, {"check_tool": "no"}, {"check_tool": "whoami", "check_arguments": "[1"}):
        refused = client.post(where, {"section": "check", **bad})
        assert refused.status_code == 400 and "errorlist" in refused.content.decode()
