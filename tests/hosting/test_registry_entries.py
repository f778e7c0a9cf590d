"""`registry:NAME` from the shell, the page and the API; and what a take-down does to what is hosted from it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from common import clock
from common.errors import BadInput, Forbidden
from events.actors import OPERATOR
from hosting.building.making import Origin, deployment_make, version_make
from hosting.building.registry_entries import taken_down_stop
from hosting.building.versions import deployment_rollback
from hosting.configuration.given import declared_of
from hosting.models import Deployment
from hosting.services import deployment_restart, deployment_start
from hosting.states import State
from registry.importing.records import record
from registry.importing.storing import batch_store
from registry.taking_down import server_restore, server_take_down
from tests.factories import make_user
from tests.registry.examples import NPM, based

NAME = "org.example.tools/weather"
BACKEND = "django.contrib.auth.backends.ModelBackend"
pytestmark = pytest.mark.django_db


def have(*versions: str, **more: Any) -> None:
    more = more or {"packages": [{**NPM, "environmentVariables": [{"name": "KEY", "isRequired": True}]}]}
    documents = [based(name=NAME, version=version, **more) for version in versions]
    for one in documents:
        for package in one.get("packages", ()):
            package["version"] = one["version"]
        batch_store([record(one)], verified_by="a file")


def make(reference: str) -> Deployment:
    user = make_user()
    return deployment_make(actor=OPERATOR, owner=user.username, name="weather", origin=Origin(reference=reference))


def test_latest_entry_is_hosted_with_what_it_asks_for() -> None:
    have("1.0.0", "1.1.0")
    deployment = make(f"registry:{NAME}")
    version = deployment.versions.get()
    assert (deployment.reference, deployment.kind) == ("npm:@example/weather@1.1.0", "npm")
    assert (version.registry_name, version.registry_version) == (NAME, "1.1.0")
    assert [one.name for one in declared_of(version)] == ["KEY"]


def test_one_version_and_then_the_newest() -> None:
    have("1.0.0", "1.1.0")
    deployment = make(f"registry:{NAME}@1.0.0")
    assert deployment.reference == "npm:@example/weather@1.0.0"
    version = version_make(actor=OPERATOR, deployment=deployment, origin=Origin())
    assert (version.reference, version.registry_version) == ("npm:@example/weather@1.1.0", "1.1.0")


def test_from_the_page_with_the_form_that_the_registrys_button_opens(client: Client) -> None:
    have("1.0.0")
    client.force_login(make_user("alice"), backend=BACKEND)
    assert f"registry:{NAME}" in client.get("/servers/new", {"reference": f"registry:{NAME}"}).content.decode()
    own = f"registry:{NAME}"  # the form has been seen with what the entry asks for
    fields = {"reference": own, "entry": own, "name": "weather", "owner": "alice", "access": "private"}
    assert client.post("/servers/new", fields).status_code == 302
    deployment = Deployment.objects.get()
    assert deployment.reference == "npm:@example/weather@1.0.0"
    Deployment.objects.update(state=State.READY)
    have("1.1.0")
    page = "/d/alice/weather/versions"
    assert client.post(page, {"action": "update"}).status_code == 302
    assert client.post(page, {"action": "deploy", "reference": f"registry:{NAME}@1.0.0"}).status_code == 302
    assert list(deployment.versions.order_by("number").values_list("registry_version", flat=True)) == [
        "1.0.0",
        "1.1.0",
        "1.0.0",
    ]
    for wrong in (f"registry:{NAME}@9", "registry:org.example.tools/none"):
        answer = client.post("/servers/new", {**fields, "name": "other", "reference": wrong})
        assert answer.status_code == 400 and "reference" in answer.context["form"].errors


def test_remote_entry() -> None:
    have("1.0.0", remotes=[{"type": "streamable-http", "url": "https://weather.example.org/mcp"}])
    assert make(f"registry:{NAME}").reference == "remote:https://weather.example.org/mcp"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("registry:org.example.tools/none", "has no server"),
        (f"registry:{NAME}@9.9.9", "no version 9.9.9"),
        ("registry:nothing", "can't be the name"),
    ],
)
def test_entries_that_are_not_there(reference: str, words: str) -> None:
    have("1.0.0")
    with pytest.raises(BadInput, match=words) as refusal:
        make(reference)
    assert refusal.value.field == "reference"
    assert not Deployment.objects.exists()


def test_entry_that_offers_nothing_to_host() -> None:
    have("1.0.0", packages=[])
    with pytest.raises(BadInput, match="offers no package"):
        make(f"registry:{NAME}")


def test_host_command(capsys: pytest.CaptureFixture[str]) -> None:
    have("1.0.0")
    for _ in range(2):  # the same again changes nothing
        call_command("host", f"registry:{NAME}", "--owner", "alice", "--name", "weather", "--no-wait")
    assert "alice/weather asks for KEY" in capsys.readouterr().err
    version = Deployment.objects.get().versions.get()
    assert (version.reference, version.registry_name) == ("npm:@example/weather@1.0.0", NAME)
    with pytest.raises(CommandError, match="has no server"):
        call_command("host", "registry:a.b/none", "--owner", "alice", "--name", "other", "--no-wait")


def test_take_down_stops_what_is_hosted_from_it() -> None:
    have("1.0.0")
    deployment = make(f"registry:{NAME}")
    Deployment.objects.update(state=State.READY, current_version=deployment.versions.get())
    taken_down_stop()
    assert Deployment.objects.get().state == State.READY
    server_take_down(actor=OPERATOR, name=NAME, reason="It steals keys.")
    taken_down_stop()
    stopped = Deployment.objects.get()
    assert (stopped.state, stopped.wanted) == (State.STOPPED, "stopped")
    assert "steals keys" in stopped.reason
    for again in (deployment_start, deployment_restart):
        with pytest.raises(Forbidden, match="steals keys"):
            again(actor=OPERATOR, deployment=stopped)
    with pytest.raises(BadInput, match="has no server"):
        version_make(actor=OPERATOR, deployment=stopped, origin=Origin(reference=f"registry:{NAME}"))
    server_restore(actor=OPERATOR, name=NAME)
    deployment_start(actor=OPERATOR, deployment=stopped)
    assert Deployment.objects.get().state != State.STOPPED


def test_take_down_stops_what_is_being_built_and_leaves_what_moved_on() -> None:
    have("1.0.0")
    building = make(f"registry:{NAME}")
    moved = deployment_make(actor=OPERATOR, owner="alice", name="moved", origin=Origin(reference=f"registry:{NAME}"))
    other = version_make(actor=OPERATOR, deployment=moved, origin=Origin(reference="npm:other"))
    Deployment.objects.filter(pk=moved.pk).update(current_version=other, state=State.READY)
    server_take_down(actor=OPERATOR, name=NAME, reason="x")
    taken_down_stop()
    assert Deployment.objects.get(pk=building.pk).state == State.STOPPED
    assert Deployment.objects.get(pk=moved.pk).state == State.READY
    moved.versions.update(built_at=clock.now())
    with pytest.raises(Forbidden, match="taken down"):
        deployment_rollback(actor=OPERATOR, deployment=moved, number=1)
