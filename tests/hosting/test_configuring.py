"""Changing how a deployment runs, and that secrets go in and never come out."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from common.errors import BadInput, Conflict, NotFound
from events.models import AuditEntry
from hosting.configuration import configuring
from hosting.configuration.configuring import BadSettings, deployment_settings_set
from hosting.configuration.given import settings_of
from hosting.configuration.inputs import Plain
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentVersion
from hosting.routing import placement_for
from hosting.runner.placement import Limits
from hosting.services import deployment_delete
from hosting.states import State
from tests.factories import actor_of, make_deployment, make_runner, make_user, owner_of, place
from vault.models import Secret

pytestmark = pytest.mark.django_db
SECRET = "hunter2-hunter2"
DECLARED = [
    Declared(name="API_KEY", where="env", is_required=True, is_secret=True),
    Declared(name="mode", where="argument", flag="--mode", choices=("a", "b"), position=0),
]


@pytest.fixture
def deployment() -> Deployment:
    made = make_deployment(make_user("alice"), argv=["run"], declared=to_json(DECLARED))
    place(made, make_runner())
    return made


def change(deployment: Deployment, service: Any = deployment_settings_set, **arguments: Any) -> None:
    service(actor=actor_of(owner_of(deployment)), deployment=deployment, **arguments)
    deployment.refresh_from_db()


def placement(deployment: Deployment) -> Any:
    return placement_for(deployment.pk)[1]


# --- settings


def test_settings_reach_the_placement_with_a_new_generation(deployment: Deployment) -> None:
    before = placement(deployment)
    change(
        deployment,
        values={"mode": "a", "env:EXTRA": "x"},
        secrets={"API_KEY": SECRET},
        arguments=["--last"],
    )
    found = placement(deployment)
    assert (found.epoch, found.generation) == (before.epoch, before.generation + 1)
    assert found.argv == ["run", "--mode", "a", "--last"]
    assert (found.env["API_KEY"], found.env["EXTRA"]) == (SECRET, "x")
    assert found.masked == [SECRET]
    assert SECRET not in repr(found)


def test_secrets_are_nowhere_but_in_the_vault(deployment: Deployment) -> None:
    change(deployment, values={"API_KEY": SECRET}, secrets={"env:OTHER": SECRET})  # declared as secret: sealed anyway
    row = Deployment.objects.filter(pk=deployment.pk).values().get()
    assert SECRET not in json.dumps({name: str(value) for name, value in row.items()})
    kept = Secret.objects.filter(scope="deployment", deployment_id=deployment.pk)
    assert [one.name for one in kept] == ["env:API_KEY", "env:OTHER"]
    assert not any(SECRET.encode() in bytes(one.body) + bytes(one.wrapped) for one in kept)
    plain = Plain.from_json(deployment.inputs)
    assert sorted(plain.sealed_at) == ["env:API_KEY", "env:OTHER"]
    assert plain.values == {}
    assert SECRET not in json.dumps([entry.data for entry in AuditEntry.objects.all()])
    assert AuditEntry.objects.get(action="deployment:set_settings").data == {
        "set": ["env:API_KEY", "env:OTHER"],
        "removed": [],
    }
    assert SECRET not in repr(deployment) + repr(settings_of(deployment))


def test_what_is_not_named_stays_and_what_is_removed_goes(deployment: Deployment) -> None:
    change(deployment, values={"env:A": "1", "env:B": "2"}, secrets={"env:S": SECRET, "env:T": SECRET}, arguments=["x"])
    change(deployment, values={"env:A": "", "env:S": "plain now"}, removed=["env:T"])
    assert Plain.from_json(deployment.inputs) == Plain({"env:B": "2", "env:S": "plain now"}, ("x",), {})
    assert not Secret.objects.exists()
    assert AuditEntry.objects.filter(action="deployment:set_settings").latest("at").data["removed"] == [
        "env:A",
        "env:T",
    ]


def test_nothing_changed_is_no_change(deployment: Deployment) -> None:
    change(deployment, values={"env:A": "1"})
    before = placement(deployment)
    change(deployment, values={"env:A": "1"}, removed=["env:NOPE"])
    assert placement(deployment) == before
    assert AuditEntry.objects.filter(action="deployment:set_settings").count() == 1


def test_bad_settings_say_which_and_change_nothing(deployment: Deployment) -> None:
    with pytest.raises(BadSettings) as raised:
        change(deployment, values={"mode": "c", "env:LD_PRELOAD": "x", "argument:nope": "x"}, secrets={"env:A": "\0"})
    assert sorted(raised.value.problems) == ["argument:mode", "argument:nope", "env:A", "env:LD_PRELOAD"]
    deployment.refresh_from_db()
    assert deployment.inputs == {}


def test_what_a_later_version_asks_for_no_more_may_stay(deployment: Deployment) -> None:
    change(deployment, values={"mode": "a"})
    deployment.versions.update(declared=[])
    change(deployment, values={"argument:mode": "a", "env:A": "1"})
    with pytest.raises(BadSettings, match="asks for no such setting"):
        change(deployment, values={"argument:mode": "b"})
    change(deployment, removed=["argument:mode"])
    assert Plain.from_json(deployment.inputs).values == {"env:A": "1"}


def test_a_version_that_is_not_built_yet_asks_for_nothing_of_its_own(deployment: Deployment) -> None:
    DeploymentVersion.objects.create(deployment=deployment, number=2, reference="pypi:demo")
    change(deployment, values={"mode": "b"})
    assert placement(deployment).argv == ["run", "--mode", "b"]


def test_all_settings_together_are_bounded(deployment: Deployment) -> None:
    for i in range(8):
        change(deployment, secrets={f"env:A{i}": "x" * 15_000})
    with pytest.raises(BadSettings, match="together"):
        change(deployment, values={"env:B": "x" * 15_000})


def test_secrets_that_open_no_more_are_said_and_set_again(deployment: Deployment) -> None:
    change(deployment, secrets={"env:A": SECRET, "env:B": SECRET})
    Secret.objects.filter(name="env:A").update(wrapped=b"of another key")
    with pytest.raises(Conflict, match="sets them again"):
        placement(deployment)
    change(deployment, secrets={"env:A": "new value"})
    assert placement(deployment).masked == [SECRET, "new value"]


def test_each_placement_with_secrets_is_one_row_of_the_audit(deployment: Deployment) -> None:
    placement(deployment)
    assert not AuditEntry.objects.filter(action="secret:use").exists()
    change(deployment, secrets={"env:A": SECRET, "env:B": SECRET})
    placement(deployment)
    row = AuditEntry.objects.get(action="secret:use")
    assert row.data == {"secrets": {"env:A": "deployment", "env:B": "deployment"}, "user": ""}
    assert row.subject_id == str(deployment.pk)
    placement(deployment)
    assert AuditEntry.objects.filter(action="secret:use").count() == 2


def test_a_setting_can_be_given_as_a_file(deployment: Deployment) -> None:
    change(deployment, secrets={"env:CERTIFICATE": SECRET, "API_KEY": "an-api-key"})
    before = placement(deployment)
    change(deployment, configuring.files_set, names=["CERTIFICATE", "UNSET"])
    found = placement(deployment)
    assert found.files == {"CERTIFICATE": SECRET} and found.env == {"API_KEY": "an-api-key"}
    assert found.generation == before.generation + 1 and SECRET in found.masked and SECRET not in repr(found)
    for name in ("PATH", "a b", "../x"):
        with pytest.raises(BadInput):
            change(deployment, configuring.files_set, names=[name])


def test_a_secret_that_is_declared_as_a_path_is_a_file(deployment: Deployment) -> None:
    declared = Declared(name="KEY_FILE", where="env", is_secret=True, format="filepath", default="/etc/key")
    deployment.versions.update(declared=to_json([declared]))
    assert (placement(deployment).files, placement(deployment).env) == ({}, {"KEY_FILE": "/etc/key"})
    change(deployment, secrets={"KEY_FILE": SECRET})
    assert (placement(deployment).files, placement(deployment).env) == ({"KEY_FILE": SECRET}, {})


def test_secrets_go_with_their_server(deployment: Deployment) -> None:
    change(deployment, secrets={"env:A": SECRET})
    deployment_delete(actor=actor_of(owner_of(deployment)), deployment=deployment)
    assert not Secret.objects.exists()


def test_the_setting_that_a_failed_start_named_tries_again(deployment: Deployment) -> None:
    deployment.versions.update(missing="API_KEY")
    Deployment.objects.filter(pk=deployment.pk).update(state=State.FAILED, reason="needs API_KEY")
    change(deployment, secrets={"API_KEY": SECRET})
    assert (deployment.state, deployment.versions.get().missing) == (State.READY, "")


# --- how it runs


def test_limits_are_kept_within_the_operators(deployment: Deployment, settings: Any) -> None:
    change(deployment, configuring.limits_set, chosen={"memory_bytes": 2**30, "processes": None})
    assert deployment.limits == {"memory_bytes": 2**30}
    assert placement(deployment).limits.memory_bytes == 2**30
    assert placement(deployment).limits.processes == Limits().processes
    settings.SLIPWAY_CEILINGS = {**settings.SLIPWAY_CEILINGS, "memory_bytes": 2**28}
    assert placement(deployment).limits.memory_bytes == 2**28
    for bad in ({"memory_bytes": 2**29}, {"processes": 0}, {"in_flight": 5}):
        with pytest.raises(BadInput) as raised:
            change(deployment, configuring.limits_set, chosen=bad)
        assert raised.value.field in bad


def test_idle_time(deployment: Deployment) -> None:
    assert placement(deployment).idle_seconds == 600
    change(deployment, configuring.idle_set, seconds=30)
    assert placement(deployment).idle_seconds == 30
    with pytest.raises(BadInput):
        change(deployment, configuring.idle_set, seconds=100_000)


def test_the_network_is_narrowed(deployment: Deployment) -> None:
    assert placement(deployment).egress.mode == "public"
    change(
        deployment,
        configuring.egress_set,
        mode="listed",
        hosts=["API.example.org", "*.Example.com.", "", "api.example.org", "bücher.example"],
    )
    assert placement(deployment).egress.hosts == ["api.example.org", "*.example.com", "xn--bcher-kva.example"]
    change(deployment, configuring.egress_set, mode="none")
    assert placement(deployment).egress.mode == "none"
    with pytest.raises(BadInput, match="at least one"):
        change(deployment, configuring.egress_set, mode="listed")


@pytest.mark.parametrize(
    "host",
    [
        "https://a.org",
        "a.org/x",
        "a.org:443",
        "10.0.0.1",
        "*",
        "a.*.org",
        "localhost",
        "a b.org",
        "-a.org",
        "[::1]",
        "a..b",
    ],
)
def test_what_is_no_host_is_refused(deployment: Deployment, host: str) -> None:
    with pytest.raises(BadInput, match="is no host"):
        change(deployment, configuring.egress_set, mode="listed", hosts=[host])


@pytest.mark.parametrize(
    ("service", "arguments", "field"),
    [
        (configuring.isolation_set, {"isolation": "shared"}, "isolation"),
        (configuring.data_folder_set, {"has_data_folder": True}, "has_data_folder"),
        (configuring.tracing_set, {"traces_bodies": True}, "traces_bodies"),
        (configuring.install_code_set, {"runs_install_code": True}, "runs_install_code"),
    ],
)
def test_switches_are_kept_and_audited_once(
    deployment: Deployment, service: Any, arguments: dict[str, Any], field: str
) -> None:
    for _ in range(2):
        change(deployment, service, **arguments)
    assert getattr(deployment, field) == arguments[field]
    action = service.__name__.replace("_set", "")
    assert AuditEntry.objects.get(action=f"deployment:set_{action}").data == arguments


@pytest.mark.parametrize(
    ("service", "arguments"),
    [
        (deployment_settings_set, {"values": {"env:A": "1"}}),
        (configuring.limits_set, {"chosen": {}}),
        (configuring.idle_set, {"seconds": 10}),
        (configuring.egress_set, {"mode": "none"}),
        (configuring.isolation_set, {"isolation": "shared"}),
        (configuring.data_folder_set, {"has_data_folder": True}),
        (configuring.tracing_set, {"traces_bodies": True}),
        (configuring.install_code_set, {"runs_install_code": True}),
    ],
)
def test_others_change_nothing(deployment: Deployment, service: Any, arguments: dict[str, Any]) -> None:
    before = Deployment.objects.filter(pk=deployment.pk).values().get()
    with pytest.raises(NotFound):
        service(actor=actor_of(make_user("bob")), deployment=deployment, **arguments)
    assert Deployment.objects.filter(pk=deployment.pk).values().get() == before


def test_words_that_mean_nothing_are_refused(deployment: Deployment) -> None:
    with pytest.raises(BadInput):
        change(deployment, configuring.egress_set, mode="everything")
    with pytest.raises(BadInput):
        change(deployment, configuring.isolation_set, isolation="none")


def test_inputs_of_another_release_ask_for_nothing(deployment: Deployment) -> None:
    deployment.versions.update(declared=[{"unknown": 1}])
    change(deployment, values={"env:API_KEY": "plain"})
    assert placement(deployment).env["API_KEY"] == "plain"
    assert dataclasses.asdict(Plain.from_json(deployment.inputs))["sealed_at"] == {}
