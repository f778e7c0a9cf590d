"""Builds: from a queued version to one that may be called, with a real package tool and a local index."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection

from common import clock, ids
from events.actors import OPERATOR
from events.types import BuildProgress, deployment_group, from_message
from hosting import services
from hosting.building import builds
from hosting.models import Deployment, DeploymentVersion, Environment
from hosting.states import State
from tests.factories import make_deployment, make_queued, make_user
from tests.packages.local_index import LocalIndex

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Iterator[LocalIndex]:
    settings.SLIPWAY_STORE = tmp_path / "store"
    with LocalIndex() as index:
        for name, value in index.settings.items():
            monkeypatch.setenv(name, value)
        yield index


def version_of(deployment: Deployment) -> DeploymentVersion:
    return deployment.versions.get(number=deployment.versions.count())


def build(deployment: Deployment) -> DeploymentVersion:
    version = version_of(deployment)
    builds.version_build(version.pk)
    version.refresh_from_db()
    deployment.refresh_from_db()
    return version


def test_a_built_version_can_be_called(index: LocalIndex) -> None:
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    deployment = make_queued(make_user())
    version = build(deployment)
    assert (deployment.state, deployment.current_version) == ("ready", version)
    assert version.resolved == "demo 1.0"
    assert version.argv
    assert version.built_at
    assert "demo" in version.build_log
    assert version.environment is not None
    assert Path(version.environment.path).is_dir()
    assert deployment.placement.generation == 1


def test_building_again_does_nothing(index: LocalIndex) -> None:
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    deployment = make_queued(make_user())
    built_at = build(deployment).built_at
    assert build(deployment).built_at == built_at
    assert deployment.placement.generation == 1


def test_equal_sets_share_an_environment(index: LocalIndex) -> None:
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    alice = make_user()
    for name in ("one", "two"):
        build(make_queued(alice, name))
    assert Environment.objects.count() == 1


def test_an_unknown_package_fails_with_the_reason(index: LocalIndex) -> None:
    deployment = make_queued(make_user(), reference="pypi:no-such-package")
    version = build(deployment)
    assert deployment.state == "failed"
    assert "no-such-package" in deployment.reason
    assert version.failure == deployment.reason
    assert not version.built_at


def test_a_version_that_fails_leaves_the_earlier_one_serving(index: LocalIndex) -> None:
    deployment = make_deployment(make_user())
    services.deployment_deploy(actor=OPERATOR, deployment=deployment, reference="pypi:no-such-package")
    build(deployment)
    assert deployment.state == "ready"
    assert "version 2 could not be built, so version 1 still serves" in deployment.reason
    assert deployment.current_version is not None
    assert deployment.current_version.number == 1


def test_only_the_newest_version_is_built(index: LocalIndex) -> None:
    deployment = make_queued(make_user(), reference="pypi:no-such-package")
    older = version_of(deployment)
    services.deployment_deploy(actor=OPERATOR, deployment=deployment, reference="pypi:demo")
    builds.version_build(older.pk)
    older.refresh_from_db()
    assert (older.failure, older.built_at) == ("", None)


@pytest.mark.parametrize("state", [State.STOPPED, State.DELETING])
def test_what_isnt_wanted_any_more_isnt_built(index: LocalIndex, state: State) -> None:
    deployment = make_queued(make_user())
    services.deployment_move(deployment.pk, state, "")
    version = build(deployment)
    assert (version.built_at, version.failure, deployment.state) == (None, "", state)


def test_a_version_that_is_gone() -> None:
    builds.version_build(ids.new_uuid())


def test_deleted_during_its_build(index: LocalIndex) -> None:
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    index.hold("demo")
    deployment = make_queued(make_user())
    version = version_of(deployment)
    with _building(version):
        assert index.is_asked.wait(30)
        Deployment.objects.filter(pk=deployment.pk).delete()
        index.released.set()
    assert not DeploymentVersion.objects.exists()


def test_two_workers_with_the_same_job(index: LocalIndex) -> None:
    """A broker may deliver twice. The second worker finds the lock held and leaves."""
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    index.hold("demo")
    deployment = make_queued(make_user())
    version = version_of(deployment)
    with _building(version):
        assert index.is_asked.wait(30)
        started = clock.now()
        builds.version_build(version.pk)
        assert (clock.now() - started).total_seconds() < 5
        deployment.refresh_from_db()
        assert deployment.state == "building"
        index.released.set()
    version.refresh_from_db()
    assert version.built_at
    assert deployment.placement.generation == 1


def test_progress_is_followed_live(index: LocalIndex) -> None:
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    deployment = make_queued(make_user())
    layer = get_channel_layer()
    assert layer is not None

    async def follow() -> list[str]:
        from asgiref.sync import sync_to_async

        channel = await layer.new_channel()
        await layer.group_add(deployment_group(deployment.pk), channel)
        await sync_to_async(build)(deployment)
        await layer.send(channel, {"type": "end"})
        seen: list[str] = []
        while (message := await layer.receive(channel))["type"] != "end":
            event = from_message(message)
            if isinstance(event, BuildProgress):
                seen.append(event.text)
        return seen

    seen = async_to_sync(follow)()
    assert seen[0] == "resolving"
    assert any("1 package" in text for text in seen)


def test_progress_is_saved_while_a_tool_runs(
    index: LocalIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who opens the page in the middle of a build reads it from the row."""
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    monkeypatch.setattr(builds, "_SAVE_SECONDS", 0)
    saved: list[str] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        saved.extend(str(value) for value in params or () if str(value).startswith("building: "))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        version = build(make_queued(make_user()))
    assert version.built_at
    assert any("1 package" in text for text in saved)
    assert not [record for record in caplog.records if record.name == "asyncio"]


class _building:
    """Builds in a thread of its own, as a worker would."""

    def __init__(self, version: DeploymentVersion) -> None:
        self._thread = threading.Thread(target=self._run, args=(version.pk,))

    @staticmethod
    def _run(version_id: Any) -> None:
        try:
            builds.version_build(version_id)
        finally:
            connection.close()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()
