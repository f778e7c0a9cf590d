"""Secrets as rows: whose counts, what may be shown, what is written down, and rotation while they are used."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Organization, User
from common import clock
from common.errors import BadInput, Conflict
from events.actors import OPERATOR, SYSTEM
from events.models import AuditEntry
from tests.factories import actor_of, make_user
from vault import given, keys, rotation, selectors
from vault.models import Secret
from vault.services import MAX_VALUE, Holder, secrets_delete, secrets_forget, secrets_put, secrets_use

pytestmark = pytest.mark.django_db
VALUE = "hunter2-hunter2"
NAME = "env:API_KEY"
NOTHING = given.Standing(frozenset(), "", ())


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture(autouse=True)
def own_keys(settings: Any, tmp_path: Path) -> None:
    """So that a test that turns keys turns nobody else's."""
    settings.SLIPWAY_SECRETS = tmp_path
    key_id = keys.new_id()
    (tmp_path / keys.FILE).write_bytes(keys.to_file(key_id, {key_id: b"k" * 32}))


def put(user: User, deployment: UUID, value: str = VALUE, **more: Any) -> Holder:
    holder = Holder.personal(user.pk, deployment)
    secrets_put(actor=actor_of(user), holder=holder, values={NAME: value}, **more)
    return holder


def use(*holders: Holder) -> dict[str, str]:
    return secrets_use(actor=SYSTEM, holders=holders)


def test_what_was_put_in_comes_out_for_its_holder_only(alice: User, bob: User) -> None:
    deployment = uuid4()
    holder = put(alice, deployment)
    assert use(holder) == {NAME: VALUE}
    assert use(Holder.personal(bob.pk, deployment)) == {} == use(Holder.personal(alice.pk, uuid4()))
    assert use(Holder.deployment(deployment)) == {}


def test_the_narrowest_scope_counts(alice: User) -> None:
    deployment, organization = uuid4(), Organization.objects.create()
    personal = Holder.personal(alice.pk, deployment)
    shared, own = Holder.organization(organization.pk), Holder.deployment(deployment)
    for holder, value in ((own, "the-server's"), (shared, "the-organization's"), (personal, "alice's")):
        secrets_put(actor=OPERATOR, holder=holder, values={NAME: value})
    order = (personal, shared, own)
    assert use(*order) == {NAME: "alice's"}
    secrets_delete(actor=OPERATOR, holder=personal)
    assert use(*order) == {NAME: "the-organization's"}
    secrets_delete(actor=OPERATOR, holder=shared, names=[NAME])
    assert use(*order) == {NAME: "the-server's"}


def test_values_are_shown_and_written_down_nowhere(alice: User) -> None:
    holder = put(alice, uuid4())
    use(holder)
    (shown,) = selectors.stored(holder)
    assert (shown.name, shown.version, shown.is_expired) == (NAME, 1, False) and shown.used_at is not None
    assert VALUE not in repr(shown) and VALUE not in repr(Secret.objects.get())
    rows = AuditEntry.objects.filter(action__startswith="secret:")
    assert list(rows.order_by("pk").values_list("action", flat=True)) == ["secret:put", "secret:use"]
    assert rows.get(action="secret:use").data == {"secrets": {NAME: "personal"}, "user": str(alice.pk)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(s)::text FROM vault_secret s UNION ALL SELECT data::text FROM events_auditentry"
        )
        text = "".join(row[0] for row in cursor.fetchall())
    assert VALUE not in text and VALUE.encode().hex() not in text


def test_a_replaced_value_is_another_version_and_another_mark(alice: User) -> None:
    deployment = uuid4()
    holder = put(alice, deployment)
    before = given.standing([holder], [NAME])
    put(alice, deployment, "another-value")
    assert before.names == {NAME} and given.standing([holder], [NAME]).mark not in ("", before.mark)
    assert use(holder) == {NAME: "another-value"}
    assert secrets_delete(actor=actor_of(alice), holder=holder) == [NAME]
    assert given.standing([holder], [NAME]) == NOTHING
    assert secrets_delete(actor=actor_of(alice), holder=holder) == []


def test_what_has_expired_is_not_used(alice: User) -> None:
    holder = put(alice, uuid4(), expires_at=clock.now() - timedelta(seconds=1))
    assert use(holder) == {} and given.standing([holder], [NAME]) == NOTHING
    assert selectors.stored(holder)[0].is_expired
    assert not AuditEntry.objects.filter(action="secret:use").exists()


@pytest.mark.parametrize("values", [{NAME: ""}, {NAME: "x" * (MAX_VALUE + 1)}, {NAME: "a\0b"}, {NAME: "\ud800"},
    {"header:Authorization": "Bearer x\r\nX-Other: y"}, {"header:A": "x\ny"}])  # fmt: skip
def test_values_that_cannot_be_used_are_refused(alice: User, values: dict[str, str]) -> None:
    with pytest.raises(BadInput) as refused:
        secrets_put(
            actor=actor_of(alice), holder=Holder.personal(alice.pk, uuid4()), values={**values, "env:B": "good"}
        )
    assert set(refused.value.detail) == set(values)
    assert not Secret.objects.exists()


def test_there_is_an_end_to_what_is_kept_for_one_holder(alice: User) -> None:
    holder = Holder.personal(alice.pk, uuid4())
    secrets_put(actor=OPERATOR, holder=holder, values={f"env:V{n}": "v" for n in range(200)})
    secrets_put(actor=OPERATOR, holder=holder, values={"env:V1": "again"})
    with pytest.raises(BadInput, match="At most 200"):
        secrets_put(actor=OPERATOR, holder=holder, values={"env:W": "v"})


# --- tampering with rows


def test_a_row_given_to_somebody_else_does_not_open(alice: User, bob: User) -> None:
    """Threat 25, as are the following."""
    deployment = uuid4()
    put(alice, deployment)
    Secret.objects.update(user=bob)
    with pytest.raises(Conflict, match="can't be opened"):
        use(Holder.personal(bob.pk, deployment))


def test_rows_that_were_swapped_do_not_open(alice: User, bob: User) -> None:
    deployment = uuid4()
    hers, his = put(alice, deployment, "alice's-value"), put(bob, deployment, "bob's-value")
    one, other = hers.secrets.get(), his.secrets.get()
    hers.secrets.update(wrapped=other.wrapped, body=other.body)
    his.secrets.update(wrapped=one.wrapped, body=one.body)
    for holder in (hers, his):
        with pytest.raises(Conflict):
            use(holder)


@pytest.mark.parametrize("change", [{"name": "env:OTHER"}, {"deployment_id": UUID(int=1)}, {"version": 2}])
def test_a_row_whose_place_was_changed_does_not_open(alice: User, change: dict[str, Any]) -> None:
    put(alice, uuid4())
    Secret.objects.update(**change)
    row = Secret.objects.get()
    assert row.deployment_id is not None
    with pytest.raises(Conflict):
        use(Holder.personal(alice.pk, row.deployment_id))


def test_an_earlier_version_put_back_does_not_open(alice: User) -> None:
    deployment = uuid4()
    holder = put(alice, deployment, "revoked-long-ago")
    old = holder.secrets.get()
    put(alice, deployment)
    holder.secrets.update(wrapped=old.wrapped, body=old.body)
    with pytest.raises(Conflict):
        use(holder)


def test_without_the_key_nothing_opens(alice: User, settings: Any) -> None:
    holder = put(alice, uuid4())
    path = Path(settings.SLIPWAY_SECRETS) / keys.FILE
    current = keys.provider().current()
    path.write_bytes(keys.to_file(current, {current: b"x" * 32}) + b" ")
    with pytest.raises(Conflict, match="vault's key"):
        use(holder)


# --- going away


def test_secrets_go_with_their_deployment(alice: User, bob: User) -> None:
    deployment = uuid4()
    for user, where in ((alice, deployment), (bob, deployment), (alice, uuid4())):
        put(user, where)
    secrets_forget(actor=SYSTEM, deployment_id=deployment)
    assert Secret.objects.count() == 1
    assert AuditEntry.objects.get(action="secret:forget").data == {"count": 2}


# --- rotation


def test_after_a_rotation_everything_is_under_the_new_key(alice: User, bob: User) -> None:
    """Threat 25: rotate, and all can be read."""
    holders = [put(user, uuid4(), f"value-of-{user}") for user in (alice, bob)]
    before = keys.provider().current()
    err = StringIO()
    call_command("rotate_vault_key", "--wait", stderr=err)
    current = keys.provider().current()
    assert current != before and set(Secret.objects.values_list("key_id", flat=True)) == {current}
    assert "2 credentials" in err.getvalue() and current in err.getvalue()
    call_command("rotate_vault_key", "--forget-old", stderr=err)
    assert f"Forgotten: {before}" in err.getvalue()
    assert [use(holder)[NAME] for holder in holders] == ["value-of-alice", "value-of-bob"]
    assert AuditEntry.objects.filter(action__startswith="vault").count() == 3


def test_what_cannot_be_opened_does_not_stop_a_rotation(alice: User, bob: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(rotation, "BATCH", 1)
    broken, whole = put(alice, uuid4()), put(bob, uuid4())
    broken.secrets.update(wrapped=b"nonsense")
    rotation.vault_key_add(actor=OPERATOR)
    assert rotation.vault_reencrypt(actor=OPERATOR) == (1, 1)
    assert use(whole) == {NAME: VALUE}
    assert rotation.vault_keys_forget(actor=OPERATOR) == [], "the broken row still names it"


@pytest.mark.django_db(transaction=True)
def test_secrets_are_read_and_replaced_while_keys_turn(alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    deployments = [uuid4() for _ in range(10)]
    holders = [put(alice, deployment, f"value-{deployment}") for deployment in deployments]
    is_over, problems, reads = threading.Event(), list[BaseException](), [0]

    def work(do: Any) -> None:
        try:
            while not is_over.is_set():
                do()
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    def read() -> None:
        for deployment, holder in zip(deployments, holders, strict=True):
            assert use(holder) == {NAME: f"value-{deployment}"}
            reads[0] += 1

    def replace() -> None:
        put(alice, deployments[0], f"value-{deployments[0]}")

    threads = [threading.Thread(target=work, args=(do,)) for do in (read, read, replace)]
    for thread in threads:
        thread.start()
    try:
        first = keys.provider().current()
        for _ in range(5):
            rotation.vault_key_add(actor=OPERATOR)
            rotation.vault_reencrypt(actor=OPERATOR)
            rotation.vault_keys_forget(actor=OPERATOR)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert not problems and reads[0] > 0
    rotation.vault_reencrypt(actor=OPERATOR)
    assert first not in set(Secret.objects.values_list("key_id", flat=True))
    assert use(holders[9]) == {NAME: f"value-{deployments[9]}"}
