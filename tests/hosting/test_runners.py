"""What operators ask of runners, and what the site makes of their silence, with real runner processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from common.errors import NotFound, Unavailable
from config.launch.processes import command_line
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting import routing
from hosting.fleet.reconciling import reconcile
from hosting.fleet.register import runner_drain, runner_restart
from hosting.fleet.watch import runners_judge
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, Instance, Runner
from hosting.runner import control
from tests.factories import make_deployment, make_runner, make_user
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv
from tests.hosting.test_reconciling import ask, silence, status

pytestmark = pytest.mark.django_db
Start = Callable[..., RunnerProcess]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The deployments whose look is queued, as a worker would find them."""
    found: list[str] = []
    monkeypatch.setattr("hosting.queue.inspect", lambda deployment_id: found.append(str(deployment_id)))
    return found


def awake(name: str = "time") -> Deployment:
    deployment = make_deployment(make_user(f"owner-{name}"), name, argv=server_argv(), read_only=READ_ONLY)
    deployment_inspect(deployment.pk)
    reconcile()
    assert Instance.objects.filter(deployment=deployment, state="running").exists()
    return deployment


def test_a_restart_in_place_leaves_what_runs(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    awake()
    before = status(runner_process.address)
    runner_restart(actor=OPERATOR, name="r1")
    after = status(runner_process.address)
    assert (after.boot, after.restarts) == (before.boot, before.restarts + 1)
    assert [i.pid for p in after.placements for i in p.instances] == [
        i.pid for p in before.placements for i in p.instances
    ]
    assert AuditEntry.objects.filter(action="runner:restart").count() == 1


def test_a_restart_brings_an_operator_s_new_settings(runner_process: RunnerProcess, settings: Any) -> None:
    make_runner(address=runner_process.address)
    settings.SLIPWAY_EGRESS_PRIVATE, settings.SLIPWAY_EGRESS_PORTS = ["10.9.0.0/16"], [8443]
    call_command("runner_restart", "r1")
    assert "10.9.0.0/16" not in command_line(runner_process.process.pid)
    call_command("runner_restart", "r1", "--settings-of-now")
    assert "--networks 10.9.0.0/16 --ports 8443" in command_line(runner_process.process.pid)
    assert AuditEntry.objects.filter(action="runner:restart", data__networks="10.9.0.0/16").count() == 1


def test_a_runner_that_is_not_there_can_be_neither_restarted_nor_drained() -> None:
    make_runner()
    for order in (runner_restart, runner_drain):
        with pytest.raises(Unavailable, match="r1 doesn't answer"):
            order(actor=OPERATOR, name="r1")
        with pytest.raises(NotFound, match="no runner named nobody"):
            order(actor=OPERATOR, name="nobody")


def test_a_drained_runner_s_placements_go_to_another_one(start_runner: Start) -> None:
    first, second = start_runner("r1"), start_runner("r2")
    make_runner("r1", address=first.address)
    deployment = awake()
    other = make_runner("r2", address=second.address)
    assert runner_drain(actor=OPERATOR, name="r1") == [deployment.pk]
    assert routing.route_by_id(deployment.pk).runner_address == other.address
    assert status(first.address).draining
    reconcile()
    assert Runner.objects.get(name="r1").draining
    runner_drain(actor=OPERATOR, name="r1", is_on=False)
    reconcile()
    assert not Runner.objects.get(name="r1").draining
    assert not status(first.address).draining


def test_a_runner_that_was_asked_to_stop_loses_its_placements(start_runner: Start) -> None:
    """It says that it drains; nobody told the site."""
    first, second = start_runner("r1"), start_runner("r2")
    make_runner("r1", address=first.address)
    deployment = awake()
    other = make_runner("r2", address=second.address)
    ask(first.address, control.Drain())  # as SIGTERM has it say, while a call runs
    reconcile()
    assert routing.route_by_id(deployment.pk).runner_address == other.address


def test_memory_and_instances_are_written_down(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    awake()
    runner = Runner.objects.get()
    assert runner.instances_seen == 1
    assert 2**20 < runner.memory_bytes < runner.memory_limit_bytes


def test_what_ran_on_a_dead_runner_is_started_elsewhere(start_runner: Start, looks: list[str]) -> None:
    first, second = start_runner("r1"), start_runner("r2")
    dead = make_runner("r1", address=first.address)
    deployment = awake()
    make_runner("r2", address=second.address)
    make_deployment(make_user("carol"), "asleep")
    first.kill()
    silence(dead)
    runners_judge({"r1"})
    assert looks == [str(deployment.pk)]


def test_what_ran_on_a_runner_that_was_killed_and_is_back_is_started_again(
    start_runner: Start, looks: list[str]
) -> None:
    first = start_runner("r1")
    make_runner("r1", address=first.address)
    deployment = awake()
    first.kill()
    start_runner("r1")
    reconcile()
    assert looks == [str(deployment.pk)]
    reconcile()
    assert looks == [str(deployment.pk)]


def test_what_was_stopped_meanwhile_is_not_started(start_runner: Start, looks: list[str]) -> None:
    first = start_runner("r1")
    dead = make_runner("r1", address=first.address)
    awake()
    Deployment.objects.update(wanted=Deployment.Wanted.STOPPED)
    first.kill()
    silence(dead)
    runners_judge({"r1"})
    assert looks == []


@pytest.mark.parametrize(("words", "said"), [(["r1"], "takes nothing new"), (["r1", "--undo"], "takes servers again")])
def test_drain_command(runner_process: RunnerProcess, words: list[str], said: str, capsys: Any) -> None:
    make_runner(address=runner_process.address)
    call_command("runner_drain", *words)
    assert said in capsys.readouterr().err
    assert status(runner_process.address).draining is ("--undo" not in words)
