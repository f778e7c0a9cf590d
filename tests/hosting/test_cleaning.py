"""What nobody needs goes; what somebody may need stays, or is made again from its lock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from common import clock
from events.actors import OPERATOR
from hosting import environments, services
from hosting.building import builds
from hosting.building.versions import deployment_rollback
from hosting.environments.builds import MARKER
from hosting.models import Deployment, DeploymentVersion, Environment, Instance, SourceArchive
from hosting.quotas.stored import store_bytes_of
from hosting.store.cleaning import purge
from hosting.store.environment_rows import environment_lock, environment_note
from hosting.store.sources import source_store
from tests.factories import actor_of, make_deployment, make_queued, make_runner, make_user
from tests.packages.local_index import LocalIndex

OLD = timedelta(days=2)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.SLIPWAY_STORE = tmp_path / "store"
    return tmp_path / "store"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIndex]:
    with LocalIndex() as index:
        for name, value in index.settings.items():
            monkeypatch.setenv(name, value)
        yield index


def with_versions(count: int) -> Deployment:
    """Each version has an environment of its own; the newest is the current one."""
    deployment = make_deployment(make_user(), environment=environment_of(1))
    for number in range(2, count + 1):
        version = DeploymentVersion.objects.create(
            deployment=deployment,
            number=number,
            reference="pypi:demo",
            built_at=clock.now(),
            environment=environment_of(number),
        )
    if count > 1:
        Deployment.objects.filter(pk=deployment.pk).update(current_version=version)
    deployment.refresh_from_db()
    return deployment


def environment_of(number: int) -> Environment:
    return Environment.objects.create(
        digest=f"{number:064x}", kind="pypi", path="/nowhere", size_bytes=100, made_from={"kind": "pypi"}
    )


def ready() -> list[int]:
    found = Environment.objects.filter(state="ready").exclude(digest="0" * 64)  # the factory's own
    return sorted(int(digest, 16) for digest in found.values_list("digest", flat=True))


@pytest.mark.django_db
def test_environments_that_no_version_has_named_for_a_day_go() -> None:
    make_deployment(make_user())  # its environment is in use, however old
    gone, young = environment_of(1), environment_of(2)
    purge()
    assert Environment.objects.count() == 3 and Environment.objects.filter(unused_since=None).count() == 1
    Environment.objects.update(created_at=clock.now() - OLD)
    Environment.objects.filter(pk=gone.pk).update(unused_since=clock.now() - OLD)
    purge()
    assert set(Environment.objects.values_list("digest", flat=True)) == {"0" * 64, young.digest}


@pytest.mark.django_db
def test_an_environment_that_is_used_again_stays() -> None:
    environment = environment_of(1)
    Environment.objects.update(unused_since=clock.now() - OLD)
    make_deployment(make_user(), environment=environment)
    purge()
    assert Environment.objects.get(pk=environment.pk).unused_since is None


@pytest.mark.django_db
def test_folders_that_no_row_knows_go_after_a_day(store: Path) -> None:
    make_deployment(make_user(), environment=environment_of(1))
    Environment.objects.create(digest=f"{2:064x}", kind="pypi", path="/nowhere", state="removed")
    for number in (1, 2, 3, 4):
        folder(store, number)
        if number != 4:
            long_ago = (clock.now() - OLD).timestamp()
            os.utime(store / f"{number:064x}" / MARKER, (long_ago, long_ago))
    purge()
    assert sorted(int(digest, 16) for digest in environments.kept(store)) == [1, 4]


@pytest.mark.django_db(transaction=True)
def test_an_environment_that_a_builder_is_about_to_use_stays(store: Path) -> None:
    """It was built for one that is gone; now another build has found it and says so, while it is being cleaned."""
    digest = folder(store, 1)
    environment_of(1)
    Environment.objects.update(unused_since=clock.now() - OLD)
    deployment = make_deployment(make_user())
    with transaction.atomic():
        environment_note(built_as(digest, store), store)
        cleaner = Thread(target=in_thread, args=[purge])
        cleaner.start()
        wait_for_lock()
        deployment.versions.update(environment=Environment.objects.get(digest=digest))
    cleaner.join(20)
    assert environments.is_there(digest, store) and ready() == [1]


@pytest.mark.django_db(transaction=True)
def test_a_builder_that_was_too_late_hears_of_it(store: Path) -> None:
    digest = folder(store, 1)
    environment_of(1)
    noted: list[str] = []

    def note() -> None:
        with transaction.atomic():
            noted.append(environment_note(built_as(digest, store), store).state)

    with transaction.atomic():
        environment_lock(digest)
        builder = Thread(target=in_thread, args=[note])
        builder.start()
        wait_for_lock()
        environments.remove(digest, store)
        Environment.objects.all().delete()
    builder.join(20)
    assert noted == ["removed"]


@pytest.mark.django_db(transaction=True)
def test_what_was_taken_away_before_its_build_had_ended_is_built_again(index: LocalIndex, store: Path) -> None:
    index.add_wheel("demo", "1.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"})
    alice = make_user()
    builds.version_build(make_queued(alice, "first").versions.get().pk)
    [digest] = environments.kept(store)
    second = make_queued(alice, "second")
    with transaction.atomic():
        environment_lock(digest)
        builder = Thread(target=in_thread, args=[lambda: builds.version_build(second.versions.get().pk)])
        builder.start()
        wait_for_lock()  # it has found the environment, and is about to say so
        environments.remove(digest, store)
    builder.join(20)
    second.refresh_from_db()
    assert second.state == "queued"
    builds.version_build(second.versions.get().pk)
    second.refresh_from_db()
    assert second.state == "ready" and list(environments.kept(store)) == [digest]


@pytest.mark.django_db(transaction=True)
def test_rolling_back_while_it_is_taken_away_installs_it_again(store: Path) -> None:
    deployment = with_versions(6)
    first = deployment.versions.get(number=1)
    assert first.environment is not None

    def roll_back() -> None:
        deployment_rollback(actor=OPERATOR, deployment=deployment, number=1)

    with transaction.atomic():  # what the cleaner does
        Environment.objects.select_for_update().get(pk=first.environment.pk)
        owner = Thread(target=in_thread, args=[roll_back])
        owner.start()
        wait_for_lock()
        Environment.objects.filter(pk=first.environment.pk).update(state="removed")
    owner.join(20)
    deployment.refresh_from_db()
    assert (deployment.current_version, deployment.state) == (first, "queued")


def folder(store: Path, number: int) -> str:
    digest = f"{number:064x}"
    path = store / digest
    path.mkdir(parents=True)
    (path / MARKER).write_text('{"format": 1, "size_bytes": 1}')
    return digest


def built_as(digest: str, store: Path) -> environments.Built:
    return environments.Built(digest, "pypi", str(store / digest), [], {}, [], "demo 1.0", "", 1)


def in_thread(run: Callable[[], None]) -> None:
    try:
        run()
    finally:
        connection.close()


def wait_for_lock() -> None:
    """Until another connection waits for one."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with connection.cursor() as cursor:  # pg_locks is as it is now, in a transaction too
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


@pytest.mark.django_db
def test_environments_of_the_current_and_three_earlier_versions_stay() -> None:
    with_versions(6)
    purge()
    assert ready() == [3, 4, 5, 6]
    assert Environment.objects.filter(state="removed", size_bytes=0).count() == 2


@pytest.mark.django_db
def test_after_a_roll_back_what_came_later_stays_too() -> None:
    deployment = with_versions(6)
    Deployment.objects.update(current_version=deployment.versions.get(number=4))
    purge()
    assert ready() == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
def test_an_environment_that_another_deployment_uses_stays() -> None:
    with_versions(6)
    make_deployment(make_user("bob"), environment=Environment.objects.get(digest=f"{1:064x}"))
    purge()
    assert ready() == [1, 3, 4, 5, 6]


@pytest.mark.django_db
def test_nothing_goes_that_an_instance_runs_from() -> None:
    deployment = with_versions(25)
    fields = {"deployment": deployment, "runner": make_runner(), "state": "running", "started_at": clock.now()}
    Instance.objects.create(id="r1.a", version=deployment.versions.get(number=1), seen_at=clock.now(), **fields)
    Environment.objects.update(unused_since=clock.now() - OLD)
    purge()
    assert ready() == [1, 22, 23, 24, 25]
    numbers = sorted(deployment.versions.values_list("number", flat=True))
    assert numbers == [1, *range(6, 26)]


@pytest.mark.django_db
def test_an_environment_that_could_not_be_made_again_stays() -> None:
    with_versions(6)
    Environment.objects.update(made_from={})
    purge()
    assert ready() == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
def test_versions_beyond_twenty_are_forgotten_but_never_the_current_one() -> None:
    deployment = with_versions(23)
    Deployment.objects.update(current_version=deployment.versions.get(number=2))
    purge()
    assert sorted(deployment.versions.values_list("number", flat=True)) == [2, *range(4, 24)]


@pytest.mark.django_db
def test_uploads_that_no_version_names_go_after_a_day() -> None:
    alice = make_user()
    actor = actor_of(alice)
    for number in range(3):
        source_store(actor=actor, owner=alice.name, filename="a.py", content=b"x = %d\n" % number)
    used, old, new = SourceArchive.objects.order_by("created_at")
    make_queued(alice, reference=f"source:{used.digest}")
    SourceArchive.objects.exclude(pk=new.pk).update(created_at=clock.now() - OLD)
    purge()
    assert set(SourceArchive.objects.all()) == {used, new}


@pytest.mark.django_db
def test_bytes_of_an_owner() -> None:
    alice, bob = make_user(), make_user("bob")
    environment = environment_of(1)
    for name in ("one", "two"):
        make_deployment(alice, name, environment=environment)
    make_deployment(bob, environment=environment)
    make_deployment(bob, "more", environment=environment_of(2))
    source_store(actor=actor_of(alice), owner=alice.name, filename="a.py", content=b"x = 1\n")
    assert store_bytes_of(alice.name) == 106
    assert store_bytes_of(bob.name) == 200
    assert store_bytes_of(make_user("carol").name) == 0


@pytest.mark.django_db(transaction=True)
def test_rolling_back_to_a_removed_environment_makes_it_again_from_its_lock(index: LocalIndex, store: Path) -> None:
    index.add_wheel("dep", "1.0", {"dep.py": ""})
    deployment = make_queued(make_user())
    digests = []
    for number in range(5):
        index.add_wheel(
            "demo", f"{number}.0", {"demo.py": "def main(): pass\n"}, scripts={"demo": "demo:main"}, requires=["dep"]
        )
        if number:
            services.deployment_deploy(actor=OPERATOR, deployment=deployment, reference=f"pypi:demo=={number}.0")
        version = deployment.versions.first()
        assert version is not None
        builds.version_build(version.pk)
        version.refresh_from_db()
        assert version.environment is not None, version.failure
        digests.append(version.environment.digest)
    purge()
    assert sorted(environments.kept(store)) == sorted(digests[1:])
    index.add_wheel("dep", "2.0", {"dep.py": ""})  # the lock still says 1.0
    first = deployment_rollback(actor=OPERATOR, deployment=deployment, number=1)
    deployment.refresh_from_db()
    assert deployment.state == "queued"
    builds.version_build(first.pk)
    deployment.refresh_from_db()
    first.refresh_from_db()
    assert (deployment.state, deployment.current_version) == ("ready", first)
    assert first.environment is not None and first.environment.digest == digests[0]
    assert "dep==1.0" in first.environment.lock and first.environment.size_bytes > 0
    assert sorted(environments.kept(store)) == sorted(digests)
