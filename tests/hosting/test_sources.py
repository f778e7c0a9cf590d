"""Uploads as rows: whose they are, that they are kept once, and from `host source:PATH` to a built version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from common.errors import BadInput, NotFound
from events.models import AuditEntry
from hosting import services
from hosting.building import builds
from hosting.models import Deployment, SourceArchive
from hosting.store.sources import source_reference, source_store
from tests.factories import actor_of, make_user

pytestmark = pytest.mark.django_db
SERVER = b"print('hello')\n"


def test_the_same_upload_is_kept_once() -> None:
    alice = make_user()
    rows = [source_store(actor=actor_of(alice), owner=alice.name, filename="a.py", content=SERVER) for _ in range(2)]
    assert rows[0] == rows[1]
    assert SourceArchive.objects.get().size_bytes == len(SERVER)
    assert AuditEntry.objects.filter(action="source:upload").count() == 1


def test_nobody_uploads_for_somebody_else() -> None:
    alice, eve = make_user(), make_user("eve")
    with pytest.raises(NotFound):
        source_store(actor=actor_of(eve), owner=alice.name, filename="a.py", content=SERVER)


def test_bad_uploads_are_refused() -> None:
    alice = make_user()
    with pytest.raises(BadInput, match="isn't a zip"):
        source_store(actor=actor_of(alice), owner=alice.name, filename="a.zip", content=SERVER)
    assert not SourceArchive.objects.exists()


def test_a_digest_is_no_way_to_somebody_elses_source() -> None:
    alice, eve = make_user(), make_user("eve")
    source = source_store(actor=actor_of(alice), owner=alice.name, filename="a.py", content=SERVER)
    with pytest.raises(BadInput, match="uploaded no source"):
        services.deployment_create(actor=actor_of(eve), owner=eve.name, name="mine", reference=source_reference(source))


@pytest.mark.django_db(transaction=True)
def test_host_a_path(tmp_path: Path, settings: Any) -> None:
    settings.SLIPWAY_STORE = tmp_path / "store"
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "server.py").write_bytes(SERVER)
    (tmp_path / "demo" / "pyproject.toml").write_text("[project]\nname = 'demo'\nversion = '2'\n")
    for _ in range(2):  # the same again changes nothing
        call_command("host", f"source:{tmp_path / 'demo'}", "--owner", "alice", "--name", "demo", "--no-wait")
    deployment = Deployment.objects.get()
    version = deployment.versions.get()
    assert (deployment.kind, version.source) == ("source", SourceArchive.objects.get())
    builds.version_build(version.pk)
    version.refresh_from_db()
    deployment.refresh_from_db()
    assert (version.resolved, version.failure, deployment.state) == ("demo 2", "", "ready")


def test_host_a_path_that_isnt_there() -> None:
    with pytest.raises(CommandError, match="couldn't be read"):
        call_command("host", "source:/no/such/path", "--owner", "alice", "--name", "demo", "--no-wait")
