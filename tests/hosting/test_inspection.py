"""The first look at a server, through a real runner, stream and sandbox."""

from __future__ import annotations

import json
import sys

import pytest

from common.errors import Unavailable
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, DeploymentVersion
from hosting.states import State
from hosting.stream.stream import RunnerUnavailableError
from registry.models import SeenServer
from tests.factories import make_deployment, make_runner, make_user, place
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv

pytestmark = pytest.mark.django_db


def deployed(argv: list[str], state: State = State.READY) -> Deployment:
    return make_deployment(make_user(), argv=argv, read_only=READ_ONLY, state=state)


def script(text: str) -> list[str]:
    return [sys.executable, "-I", "-c", text]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_tools_and_name_are_stored(runner_process: RunnerProcess, era: str) -> None:
    make_runner(address=runner_process.address)
    deployment = make_deployment(make_user(), argv=server_argv(era), read_only=READ_ONLY, access="public")
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    version = deployment.current_version
    assert version is not None
    assert version.tools is not None
    assert SeenServer.objects.get().revisions == ["2025-11-25" if era == "legacy" else "2026-07-28"]
    assert deployment.state == "running"
    assert "echo" in [tool["name"] for tool in version.tools]
    assert (version.server_info["name"], version.era) == (era, era)
    assert deployment.tool_count == len(version.tools)


def test_names_outside_of_the_rule_are_noted(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    odd = json.dumps([{"name": "read file", "inputSchema": {"type": "object"}}])
    deployment = make_deployment(
        make_user(), argv=server_argv("legacy"), read_only=READ_ONLY, env={"SERVER_TOOLS": odd}, notices=["Kept."]
    )
    deployment_inspect(deployment.pk)
    version = DeploymentVersion.objects.get(deployment=deployment)
    assert version.notices[0] == "Kept."
    assert "“read file”" in version.notices[1] and "echo" not in version.notices[1]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (script("import sys; print('no database configured', file=sys.stderr); sys.exit(3)"), "no database configured"),
        (["/no/such/program"], "/no/such/program"),
    ],
)
def test_a_server_that_doesnt_start_fails_with_the_reason(
    runner_process: RunnerProcess, argv: list[str], words: str
) -> None:
    make_runner(address=runner_process.address)
    deployment = deployed(argv)
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.state == "failed"
    assert words in deployment.reason
    assert deployment.tool_count is None


def test_a_failed_server_that_works_again_runs(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    deployment = deployed(server_argv(), state=State.FAILED)
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.state == "running"


def test_without_a_runner_it_is_tried_later() -> None:
    with pytest.raises(Unavailable, match="No runner"):
        deployment_inspect(deployed(["true"]).pk)


def test_a_runner_that_has_gone_is_passed_over(runner_process: RunnerProcess) -> None:
    gone = make_runner("gone")
    make_runner(address=runner_process.address)
    deployment = deployed(server_argv())
    place(deployment, gone)
    with pytest.raises(RunnerUnavailableError):
        deployment_inspect(deployment.pk)
    deployment_inspect(deployment.pk)  # as the job's retry does
    deployment.refresh_from_db()
    assert deployment.state == "running"
    assert deployment.placement.epoch == 2


def test_what_was_stopped_isnt_started_by_a_look(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    deployment = deployed(server_argv(), state=State.STOPPED)
    with pytest.raises(Unavailable, match="stopped"):
        deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.state == "stopped"
