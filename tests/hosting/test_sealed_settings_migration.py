"""What owners' secret settings were before the vault: moved there by a migration, readable or not."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from common.errors import Conflict
from common.sealing import seal
from hosting.configuration.configuring import deployment_settings_set
from hosting.models import Deployment
from hosting.routing import placement_for
from tests.factories import actor_of, make_deployment, make_runner, make_user, owner_of, place
from vault.models import Secret

pytestmark = pytest.mark.django_db
NAME = "0022_settings_into_the_vault"
SET_AT = "2026-10-01T12:00:00+00:00"


@pytest.fixture(autouse=True)
def column(db: None) -> None:
    """As it was; it goes with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hosting_deployment ADD COLUMN sealed bytea NOT NULL DEFAULT ''::bytea")


def make_sealed(name: str, sealed_for: str = "", **version: Any) -> Deployment:
    user = make_user(f"owner-of-{name}")
    made = make_deployment(user, name, argv=[] if version else ["run"], **version)
    place(made, make_runner(f"r-{name}"))
    values = json.dumps({"env:A": f"value-of-{name}"}).encode()
    raw = seal(b"slipway hosting deployment settings 1", values, f"deployment:{sealed_for or made.pk}".encode())
    Deployment.objects.filter(pk=made.pk).update(inputs={"sealed_at": {"env:A": SET_AT}, "values": {"env:B": "plain"}})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE hosting_deployment SET sealed = %s WHERE id = %s", [raw, made.pk])
    made.refresh_from_db()
    return made


def migrate() -> None:
    module = importlib.import_module(f"hosting.migrations.{NAME}")
    state = MigrationLoader(connection).project_state(("hosting", NAME), at_end=False)
    module.move(state.apps, None)


def test_secret_settings_are_in_the_vault_afterwards(capsys: Any) -> None:
    whole = make_sealed("whole")
    remote = make_sealed("remote", remote={"url": "https://far.example:8443/mcp/{room}"})
    migrate()
    assert placement_for(whole.pk)[1].env == {"A": "value-of-whole", "B": "plain"}
    row = Secret.objects.get(deployment_id=whole.pk)
    assert (row.scope, row.name, row.set_at.isoformat(), row.given_to) == ("deployment", "env:A", SET_AT, {})
    assert Secret.objects.get(deployment_id=remote.pk).given_to == {"origin": "https://far.example:8443"}
    assert capsys.readouterr().out == ""


def test_what_cannot_be_opened_is_kept_and_said(capsys: Any) -> None:
    broken, whole = make_sealed("broken", sealed_for="another"), make_sealed("whole")
    migrate()
    assert "owner-of-broken/broken can't be opened" in capsys.readouterr().out
    assert bytes(Secret.objects.get(deployment_id=broken.pk).body)[:1] == b"\x01"
    assert placement_for(whole.pk)[1].env["A"] == "value-of-whole"
    with pytest.raises(Conflict, match="Its owner sets them again"):
        placement_for(broken.pk)
    owner = actor_of(owner_of(broken))
    deployment_settings_set(actor=owner, deployment=broken, secrets={"env:A": "typed anew"})
    assert placement_for(broken.pk)[1].env["A"] == "typed anew"
