"""What deployments reached, from a real runner's proxy into the records."""

from __future__ import annotations

import time

import pytest

from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, EgressRecord, Runner, UsageDay
from hosting.runner.seen import EgressBatch, EgressCount
from hosting.usage.egress_records import egress_collect, egress_write
from tests.factories import make_deployment, make_runner, make_user
from tests.hosting.conftest import READ_ONLY, SERVERS, RunnerProcess, server_argv

pytestmark = pytest.mark.django_db
REACHES_OUT = f"""if True:
    import runpy, socket
    for address in ("10.0.0.5", "10.0.0.5", "169.254.169.254"):
        try:
            socket.create_connection((address, 443), 2).recv(1)
        except OSError:
            pass
    runpy.run_path({str(SERVERS / "modern.py")!r}, run_name="__main__")
"""


def record(deployment: Deployment, host: str) -> EgressRecord:
    return EgressRecord.objects.get(deployment=deployment, host=host)


@pytest.fixture
def deployment() -> Deployment:
    return make_deployment(make_user("alice"), "time", argv=server_argv(), read_only=READ_ONLY)


def test_what_a_server_tried_is_written_down(runner_process: RunnerProcess) -> None:
    make_runner(runner_process.name, address=runner_process.address)
    argv = [server_argv()[0], "-I", "-c", REACHES_OUT]
    deployment = make_deployment(make_user("alice"), "time", argv=argv, read_only=READ_ONLY)
    deployment_inspect(deployment.pk)
    end = time.monotonic() + 60
    while EgressRecord.objects.count() < 2 and time.monotonic() < end:
        egress_collect()
        time.sleep(0.1)
    assert record(deployment, "10.0.0.5").refused == 2
    assert record(deployment, "169.254.169.254").refused == 1
    egress_collect()
    assert record(deployment, "10.0.0.5").refused == 2
    assert record(deployment, "10.0.0.5").connections == 0


def test_batch_counts_once_however_often_it_comes(deployment: Deployment) -> None:
    runner = make_runner("r9", address="unix:/nowhere")
    batch = EgressBatch("b1", 1, [EgressCount(str(deployment.pk), "api.example.org", 443, 2, 1, 500)])
    again = Runner.objects.get(pk=runner.pk)
    assert egress_write(runner, batch)
    assert not egress_write(again, batch)
    assert egress_write(runner, EgressBatch("b1", 2, batch.counts))
    row = record(deployment, "api.example.org")
    assert (row.connections, row.refused, row.octets) == (4, 2, 1000)
    assert UsageDay.objects.get(owner=deployment.owner).egress_bytes == 1000


def test_deployments_that_are_gone_are_left_out(deployment: Deployment) -> None:
    runner = make_runner("r9", address="unix:/nowhere")
    counts = [
        EgressCount("00000000-0000-0000-0000-000000000000", "a.example.org", 443, 1),
        EgressCount("no id", "b.example.org", 443, 1),
        EgressCount(str(deployment.pk), "c.example.org", 443, 1),
    ]
    assert egress_write(runner, EgressBatch("b1", 1, counts))
    assert list(EgressRecord.objects.values_list("host", flat=True)) == ["c.example.org"]


def test_runner_that_does_not_answer_is_passed_over() -> None:
    make_runner("r9", address="unix:/nowhere/r9.sock")
    egress_collect()
    assert not EgressRecord.objects.exists()
