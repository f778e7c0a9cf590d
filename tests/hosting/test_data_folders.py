"""Data folders as the site knows them: written down, kept where they are, read and deleted by whose they are."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterable, Callable

import msgspec
import pytest
from django.test import Client

from accounts.models import User
from common.errors import Forbidden, NotFound, Unavailable
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting import routing
from hosting.access.members import member_add
from hosting.fleet.placing import placement_ensure, placements_drain, placements_move_from
from hosting.fleet.reconciling import reconcile
from hosting.models import DataFolder, Deployment, Runner
from hosting.runner import control
from hosting.runner.folders import SHARED, key_of
from hosting.runner.frames import EndRule, Kind
from hosting.store.data_folders import data_folder_delete, data_folder_zip
from hosting.stream.links import runner_links
from tests.api.conftest import ApiClient, token_of
from tests.factories import actor_of, make_deployment, make_runner, make_user, owner_of
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv
from tests.hosting.test_reconciling import status

pytestmark = pytest.mark.django_db
Start = Callable[..., RunnerProcess]


def call(deployment: Deployment, user: User, tool: str) -> str:
    """What `user`'s call says, as the endpoint would make it."""
    placement_ensure(deployment.pk)
    address, placement = routing.placement_for(deployment.pk)

    async def run() -> str:
        async with runner_links() as pool:
            link = await pool.link(address)
            await link.ask(control.Place(placement))
            attachment = link.open(
                deployment=placement.deployment,
                epoch=placement.epoch,
                generation=placement.generation,
                owner=str(user.pk),
                subject=str(user.pk),
                isolation=str(user.pk),
                method="tools/call",
                params=msgspec.json.encode({"name": tool, "arguments": {"seconds": 0}}),
                revision="2026-07-28",
                end=EndRule.CANCEL,
            )
            while (event := await attachment.next()).kind not in (Kind.RESULT, Kind.ERROR):
                pass
            assert event.kind is Kind.RESULT, event.data
            return str(msgspec.json.decode(event.data)["content"][0]["text"])

    return asyncio.run(run())


def collected(parts: AsyncIterable[bytes]) -> bytes:
    async def run() -> bytes:
        return b"".join([part async for part in parts])

    return asyncio.run(run())


@pytest.fixture
def deployment() -> Deployment:
    made = make_deployment(make_user("alice"), "memory", argv=server_argv("legacy"), read_only=READ_ONLY)
    Deployment.objects.filter(pk=made.pk).update(has_data_folder=True, isolation="principal")
    made.refresh_from_db()
    return made


@pytest.fixture
def folder(deployment: Deployment, runner_process: RunnerProcess) -> DataFolder:
    """Bob's, in Alice's deployment."""
    make_runner(address=runner_process.address)
    call(deployment, make_user("bob"), "slow")
    reconcile()
    return DataFolder.objects.get()


def test_what_runners_say_is_written_down(folder: DataFolder, deployment: Deployment) -> None:
    assert (folder.deployment, folder.user, folder.runner.name) == (deployment, User.objects.get(username="bob"), "r1")
    call(deployment, owner_of(deployment), "slow")
    reconcile()
    reconcile()
    assert DataFolder.objects.count() == 2


def test_it_is_read_by_its_user_alone(folder: DataFolder, deployment: Deployment) -> None:
    bob, alice, carol = User.objects.get(username="bob"), owner_of(deployment), make_user("carol")
    with zipfile.ZipFile(io.BytesIO(collected(data_folder_zip(actor=actor_of(bob), folder=folder)))) as found:
        assert found.read("count.txt") == b"ran\n"
    with pytest.raises(Forbidden):
        data_folder_zip(actor=actor_of(alice), folder=folder)
    with pytest.raises(NotFound):
        data_folder_zip(actor=actor_of(carol), folder=folder)
    assert AuditEntry.objects.filter(action="deployment:download_data").count() == 1


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_it_is_deleted_by_its_user_and_by_the_owner(folder: DataFolder, deployment: Deployment, who: str) -> None:
    with pytest.raises(NotFound):
        data_folder_delete(actor=actor_of(make_user("carol")), folder=folder)
    data_folder_delete(actor=actor_of(User.objects.get(username=who)), folder=folder)
    reconcile()
    assert not DataFolder.objects.exists()
    assert call(deployment, User.objects.get(username="bob"), "count") == "0"


def test_a_deployment_stays_where_its_data_is(folder: DataFolder, deployment: Deployment, start_runner: Start) -> None:
    make_runner("r2", address=start_runner("r2").address)
    keeper = folder.runner
    Runner.objects.filter(pk=keeper.pk).update(draining=True)
    assert placements_drain(keeper) == []
    assert placement_ensure(deployment.pk).runner_address == keeper.address
    with pytest.raises(Unavailable, match="data lies on the runner r1"):
        placement_ensure(deployment.pk, exclude_runner=keeper.address)
    Runner.objects.filter(pk=keeper.pk).update(state=Runner.Status.DEAD)
    assert placements_move_from(keeper) == []
    with pytest.raises(Unavailable, match="data lies on the runner r1"):
        placement_ensure(deployment.pk)
    data = DataFolder.objects.filter(pk=folder.pk)
    data.delete()
    assert placement_ensure(deployment.pk).runner_address != keeper.address


def test_data_of_a_deployment_that_is_gone_is_deleted(folder: DataFolder, deployment: Deployment) -> None:
    address = folder.runner.address
    DataFolder.objects.all().delete()
    deployment.delete()
    reconcile()
    assert status(address).folders == []


def test_a_runner_that_does_not_answer_is_said(folder: DataFolder, runner_process: RunnerProcess) -> None:
    runner_process.kill()
    assert folder.user is not None
    actor = actor_of(folder.user)
    with pytest.raises(Unavailable, match="r1"):
        data_folder_delete(actor=actor, folder=folder)
    with pytest.raises(Unavailable, match="r1"):
        data_folder_zip(actor=actor, folder=folder)
    assert DataFolder.objects.exists()


def test_the_owner_of_a_shared_one_reads_it_and_of_one_whose_user_is_gone_not(
    deployment: Deployment, runner_process: RunnerProcess
) -> None:
    make_runner(address=runner_process.address)
    alice = owner_of(deployment)
    call(deployment, make_user("bob"), "slow")
    Deployment.objects.filter(pk=deployment.pk).update(isolation="shared")
    reconcile()
    DataFolder.objects.update(user=None)
    with pytest.raises(Forbidden):
        data_folder_zip(actor=actor_of(alice), folder=DataFolder.objects.get())
    DataFolder.objects.update(key=key_of(SHARED))
    with pytest.raises(Unavailable, match="no such data folder"):  # it may be read; under this name there is none
        data_folder_zip(actor=actor_of(alice), folder=DataFolder.objects.get())


def test_it_is_downloaded_and_deleted_by_page_and_api(folder: DataFolder, deployment: Deployment) -> None:
    bob = folder.user
    assert bob is not None
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    client, api = Client(), ApiClient(token_of(bob))
    client.force_login(bob)
    page = client.get("/d/alice/memory/data")
    address = f"/d/alice/memory/data/{folder.key}"
    assert f"{address}/download" in page.content.decode() and "Yours" in page.content.decode()
    answers = [client.get(f"{address}/download")]
    answers.append(
        client.get(
            f"/api/deployments/alice/memory/data/{folder.key}",
            HTTP_AUTHORIZATION=f"Bearer {api.token}",
            HTTP_ACCEPT="application/zip",
        )
    )
    for answer in answers:
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
        assert answer["Content-Disposition"] == 'attachment; filename="alice-memory-data.zip"'
        with zipfile.ZipFile(io.BytesIO(collected(answer.streaming_content))) as found:  # type: ignore[attr-defined]
            assert found.namelist() == ["count.txt"]
    assert api("DELETE", f"deployments/alice/memory/data/{folder.key}").status == 204
    assert api("GET", "deployments/alice/memory/data").body["items"] == []
    assert client.post(f"{address}/delete").status_code == 404
    assert call(deployment, bob, "count") == "0"
