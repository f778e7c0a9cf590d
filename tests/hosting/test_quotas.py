"""Quotas: at each boundary, two at once, and who is told what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import translation

from accounts.models import Name, User
from accounts.services import organization_create
from common import clock
from common.errors import BadInput, Forbidden
from events.actors import OPERATOR
from hosting import routing, services
from hosting.building import builds
from hosting.models import Deployment, DeploymentVersion, Environment, Instance, RunnerPlacement, UsageDay
from hosting.quotas import quotas
from hosting.quotas.changes import NO_EGRESS, egress_enforce, quota_set
from hosting.quotas.quotas import QuotaExceeded
from hosting.store.sources import source_store
from tests.factories import actor_of, make_deployment, make_queued, make_runner, make_user, place
from tests.languages.marked import CODE, marked_language

MIB = 1024 * 1024


def create(owner: Name, name: str) -> Deployment:
    return services.deployment_create(actor=OPERATOR, owner=owner, name=name, reference="pypi:demo")


def spend(owner: Name, **amounts: Any) -> None:
    day, _ = UsageDay.objects.get_or_create(owner=owner, day=clock.now().date())
    UsageDay.objects.filter(pk=day.pk).update(**amounts)


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each gave or raised, when all began at once."""
    start = threading.Barrier(len(works))
    found: list[Any] = []

    def run(work: Callable[[], Any]) -> None:
        start.wait()
        try:
            found.append(work())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# --- deployments


@pytest.mark.django_db
def test_the_last_deployment_fits_and_the_next_does_not(settings: Any) -> None:
    settings.SLIPWAY_QUOTAS = {**settings.SLIPWAY_QUOTAS, "deployments": 2}
    alice, bob = make_user("alice"), make_user("bob")
    create(alice.name, "a")
    gone = create(alice.name, "b")
    with pytest.raises(
        QuotaExceeded, match=r"alice uses 2 of 2 \(quota: deployments\).*quota alice --deployments"
    ) as no:
        create(alice.name, "c")
    assert (no.value.code, no.value.status) == ("quota_deployments", 403)
    assert Deployment.objects.count() == 2
    create(bob.name, "a")  # each owner's is their own
    services.deployment_delete(actor=OPERATOR, deployment=gone)
    create(alice.name, "c")
    quota_set(actor=OPERATOR, owner=alice.name, deployments=3)
    create(alice.name, "d")
    quota_set(actor=OPERATOR, owner=bob.name, deployments=0)
    with pytest.raises(QuotaExceeded):
        create(bob.name, "b")


@pytest.mark.django_db
def test_a_quota_that_is_used_up_is_told_in_the_language_of_its_reader() -> None:
    alice = make_user()
    quota_set(actor=OPERATOR, owner=alice.name, deployments=0, store_bytes=0)
    with marked_language(), translation.override(CODE):
        with pytest.raises(QuotaExceeded, match=r"^⟦alice uses 0 of 0 \(quota: ⟦deployments⟧\)\. .*⟧$") as no:
            create(alice.name, "a")
        assert no.value.code == "quota_deployments"
        with pytest.raises(QuotaExceeded, match="⟦alice uses ⟦0 MiB⟧ of ⟦0 MiB⟧ .quota: ⟦bytes in the store⟧.") as no:
            source_store(actor=OPERATOR, owner=alice.name, filename="a.py", content=b"pass")
        assert no.value.code == "quota_store_bytes"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_made() -> None:
    alice = make_user()
    quota_set(actor=OPERATOR, owner=alice.name, deployments=1)
    found = together(lambda: create(alice.name, "a"), lambda: create(alice.name, "b"))
    assert sorted(type(one).__name__ for one in found) == ["Deployment", "QuotaExceeded"]


# --- builds and the store


def begin(owner: Name) -> None:
    with transaction.atomic():
        quotas.build_begin(owner)


@pytest.mark.django_db
def test_build_minutes_of_a_month() -> None:
    alice = make_user()
    quota_set(actor=OPERATOR, owner=alice.name, build_minutes=10)
    UsageDay.objects.create(owner=alice.name, day=quotas.month_began() - timedelta(days=1), build_seconds=9999)
    spend(alice.name, build_seconds=599)
    begin(alice.name)
    with pytest.raises(QuotaExceeded, match=r"11.0 minutes of 10.0 minutes \(quota: build minutes a month\)"):
        begin(alice.name)
    quotas.build_end(alice.name, 0.5)
    assert quotas.used(alice.name).build_seconds == pytest.approx(599.5)


@pytest.mark.django_db(transaction=True)
def test_of_two_builds_at_once_one_begins() -> None:
    alice = make_user()
    quota_set(actor=OPERATOR, owner=alice.name, build_minutes=1)
    spend(alice.name, build_seconds=30)
    found = together(*[lambda: begin(alice.name)] * 2)
    assert sorted(type(one).__name__ for one in found) == ["NoneType", "QuotaExceeded"]


@pytest.mark.django_db
def test_a_build_over_the_quota_fails_with_its_words(settings: Any, tmp_path: Any) -> None:
    settings.SLIPWAY_STORE = tmp_path
    alice = make_user()
    quota_set(actor=OPERATOR, owner=alice.name, build_minutes=0)
    deployment = make_queued(alice)
    builds.version_build(deployment.versions.get().pk)
    deployment.refresh_from_db()
    assert deployment.state == "failed" and "quota: build minutes a month" in deployment.reason
    assert "quota" in deployment.versions.get().failure


@pytest.mark.django_db
def test_bytes_in_the_store() -> None:
    alice = make_user()
    quota_set(actor=OPERATOR, owner=alice.name, store_bytes=1000)
    make_deployment(alice)
    Environment.objects.update(size_bytes=990)
    begin(alice.name)
    script = b"print(1)\n#"  # ten bytes
    source_store(actor=actor_of(alice), owner=alice.name, filename="a.py", content=script)
    with pytest.raises(QuotaExceeded, match="bytes in the store"):
        source_store(actor=actor_of(alice), owner=alice.name, filename="a.py", content=script[:-1])
    with pytest.raises(QuotaExceeded, match="bytes in the store"):
        begin(alice.name)


# --- awake


def awake(deployment: Deployment, runner: Any, name: str, state: str = "running") -> None:
    now = clock.now()
    Instance.objects.create(id=name, deployment=deployment, runner=runner, state=state, started_at=now, seen_at=now)


@pytest.mark.django_db
def test_what_is_awake_counts_by_what_it_may_use() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    here, there = make_runner("here"), make_runner("there")
    mine, theirs = make_deployment(alice), make_deployment(bob)
    Deployment.objects.filter(pk=mine.pk).update(limits={"memory_bytes": 100 * MIB})
    awake(mine, here, "here.1")
    awake(mine, there, "there.1")
    awake(mine, there, "there.2", "starting")
    awake(mine, there, "there.3", "stopping")
    awake(theirs, there, "there.4")
    used = quotas.used(alice.name)
    assert (used.awake_instances, used.memory_bytes) == (3, 300 * MIB)


# --- egress


@pytest.mark.django_db
def test_a_spent_month_takes_the_network_and_the_next_gives_it_back() -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    place(deployment, make_runner())
    quota_set(actor=OPERATOR, owner=alice.name, egress_bytes=1000)

    def seen() -> tuple[str, int, list[str]]:
        version = DeploymentVersion.objects.get()
        return routing.placement_for(deployment.pk)[1].egress.mode, RunnerPlacement.objects.get().epoch, version.notices

    mode, epoch, notices = seen()
    spend(alice.name, egress_bytes=999)
    egress_enforce()
    assert seen() == (mode, epoch, notices) == ("public", epoch, [])
    spend(alice.name, egress_bytes=1000)
    for _ in range(2):
        egress_enforce()
    assert seen() == ("none", epoch + 1, [NO_EGRESS])
    UsageDay.objects.update(day=quotas.month_began() - timedelta(days=1))
    egress_enforce()
    assert seen() == ("public", epoch + 2, [])
    quota_set(actor=OPERATOR, owner=alice.name, egress_bytes=0)
    assert seen()[0] == "none" and seen()[2] == [NO_EGRESS]
    quota_set(actor=OPERATOR, owner=alice.name, egress_bytes=None)
    assert seen()[0] == "public" and seen()[2] == []


# --- setting


@pytest.mark.django_db
def test_only_operators_set_quotas() -> None:
    alice: User = make_user()
    with pytest.raises(Forbidden):
        quota_set(actor=actor_of(alice), owner=alice.name, deployments=1000)
    for amounts in ({"everything": 1}, {"deployments": -1}):
        with pytest.raises(BadInput):
            quota_set(actor=OPERATOR, owner=alice.name, **amounts)
    boss = make_user("boss", is_superuser=True)
    assert quota_set(actor=actor_of(boss), owner=alice.name, deployments=7).deployments == 7


@pytest.mark.django_db
def test_the_command_shows_and_sets(capsys: Any) -> None:
    alice = make_user()
    organization_create(actor=OPERATOR, name="crew", owner=alice)
    make_queued(alice)
    call_command("quota", "alice")
    assert "deployments: 1 of 50\n" in capsys.readouterr().out
    call_command("quota", "crew", "--deployments", "7", "--memory", "4G", "--egress", "512m", "--build-minutes", "0")
    shown = capsys.readouterr().out
    assert "deployments: 0 of 7\n" in shown and "0 MiB of 4.00 GiB" in shown and "0 MiB of 512 MiB" in shown
    call_command("quota", "crew", "--deployments", "default")
    assert "deployments: 0 of 50\n" in capsys.readouterr().out
    for wrong in (["nobody"], ["crew", "--deployments", "-1"], ["crew", "--memory", "4X"]):
        with pytest.raises(CommandError):
            call_command("quota", *wrong)
