"""Publishing, editing, statuses and take-downs, as services."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from common.errors import AppError
from events.actors import OPERATOR
from events.models import AuditEntry
from registry.editing import version_edit
from registry.errors import ChangeRefused, DocumentInvalid, DocumentUnbound, NotPermitted, ServerUnknown
from registry.models import Server, ServerVersion, Status
from registry.permissions import Permission
from registry.publishing import MAX_VERSIONS, Publisher, version_publish
from registry.statuses import Wanted, server_status_set, version_status_set
from registry.taking_down import server_restore, server_take_down
from tests.registry.examples import PROVIDED, based

NAME = "org.example.tools/weather"
ALICE = Publisher(OPERATOR, "dns:example.org", (Permission("publish", "org.example.*"),))
ADMIN = Publisher(OPERATOR, "oidc:admin", (Permission("edit", "*"),))
REMOTE = [{"type": "sse", "url": "https://weather.example.org/sse"}]

pytestmark = pytest.mark.django_db


def publish(version: str = "1.0.0", name: str = NAME, **more: Any) -> ServerVersion:
    return version_publish(publisher=ALICE, document=based(name=name, version=version, **more))


def flagged(name: str = NAME) -> str:
    return ServerVersion.objects.get(name=name, is_latest=True).version


def test_first_version_is_active_and_the_latest() -> None:
    made = publish()
    assert (made.status, made.is_latest, made.status_message) == ("active", True, None)
    assert made.published_at == made.updated_at == made.status_changed_at == made.changed_at
    assert made.server_json == based(name=NAME, version="1.0.0")
    server = Server.objects.get()
    assert (server.name, server.folded, server.is_local, server.verified_by) == (NAME, NAME, True, "dns:example.org")
    assert AuditEntry.objects.get(action="server:publish").data == {"name": NAME, "version": "1.0.0"}


def test_latest_is_decided_by_precedence() -> None:
    for version, expected in [("1.0.0", "1.0.0"), ("2.0.0-rc.1", "2.0.0-rc.1"), ("1.5.0", "2.0.0-rc.1")]:
        publish(version)
        assert flagged() == expected


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], DocumentUnbound),
        (based(description=None), DocumentUnbound),
        (based(schema=None), DocumentUnbound),
        (based(name="org.other/weather", version="latest"), NotPermitted),  # asked before the rules
        (based(name="org.exampleevil/weather"), NotPermitted),
        (based(version="latest"), DocumentInvalid),
        (based(packages=[{"registryType": "npm", "identifier": "x", "transport": {"type": "tcp"}}]), DocumentInvalid),
        (based(_meta={PROVIDED: {"a": "x" * 4096}}), ChangeRefused),
    ],
)
def test_refusals_in_their_order(document: Any, error: type[AppError]) -> None:
    with pytest.raises(error):
        version_publish(publisher=ALICE, document=document)
    assert not Server.objects.exists()


def test_refusal_names_what_may_be_published() -> None:
    with pytest.raises(NotPermitted) as refusal:
        version_publish(publisher=ALICE, document=based(name="io.github.bob/weather"))
    assert "org.example.*" in refusal.value.message
    assert "io.github.bob/weather" in refusal.value.message
    assert "organization" in refusal.value.message


def test_version_is_used_once_even_when_deleted() -> None:
    publish()
    server_status_set(publisher=ALICE, name=NAME, wanted=Wanted("deleted"))
    with pytest.raises(ChangeRefused, match="duplicate version"):
        publish()


@pytest.mark.slow
def test_there_is_a_most_of_versions() -> None:
    made = publish()
    rows = [
        ServerVersion(server=made.server, name=NAME, version=f"0.0.{number}", document="{}")
        for number in range(MAX_VERSIONS - 1)
    ]
    ServerVersion.objects.bulk_create(rows, batch_size=1000)
    with pytest.raises(ChangeRefused, match="10000"):
        publish("2.0.0")


def test_remote_address_belongs_to_one_server_until_it_is_deleted() -> None:
    publish(remotes=REMOTE)
    publish("1.1.0", remotes=REMOTE)  # its own
    other = "org.example.tools/other"
    with pytest.raises(ChangeRefused, match=NAME):
        publish(name=other, remotes=REMOTE)
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("deleted"))
    with pytest.raises(ChangeRefused):  # another version holds it still
        publish(name=other, remotes=REMOTE)
    version_status_set(publisher=ALICE, name=NAME, version="1.1.0", wanted=Wanted("deleted"))
    publish(name=other, remotes=REMOTE)
    with pytest.raises(ChangeRefused, match=other):  # and it can't come back now
        server_status_set(publisher=ALICE, name=NAME, wanted=Wanted("active"))


def test_edit_replaces_the_document_and_nothing_else() -> None:
    made = publish()
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("deprecated", "old"))
    document = based(name=NAME, version="1.0.0", title="Weather")
    edited = version_edit(publisher=ADMIN, name=NAME, version="1.0.0", document=document)
    assert edited.server_json["title"] == "Weather"
    assert (edited.status, edited.status_message, edited.is_latest) == ("deprecated", "old", True)
    assert edited.published_at == made.published_at
    assert edited.updated_at == edited.changed_at > made.updated_at


@pytest.mark.parametrize(
    ("publisher", "version", "document", "error"),
    [
        (ALICE, "1.0.0", based(version="1.0.0"), NotPermitted),
        (ADMIN, "9.0.0", based(version="9.0.0"), ServerUnknown),
        (ADMIN, "1.0.0", based(version="1.0.1"), ChangeRefused),
        (ADMIN, "1.0.0", based(name="org.example/other", version="1.0.0"), ChangeRefused),
        (ADMIN, "1.0.0", based(version="1.0.0", title=" "), DocumentInvalid),
        (ADMIN, "1.0.0", {}, DocumentUnbound),
    ],
)
def test_edits_that_are_refused(publisher: Publisher, version: str, document: Any, error: type[AppError]) -> None:
    publish()
    with pytest.raises(error):
        version_edit(publisher=publisher, name=NAME, version=version, document=document)


def test_deleted_version_is_not_edited() -> None:
    publish()
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("deleted"))
    with pytest.raises(ServerUnknown):
        version_edit(publisher=ADMIN, name=NAME, version="1.0.0", document=based(name=NAME, version="1.0.0"))


def test_status_and_message() -> None:
    made = publish()

    def change(status: str, message: str | None = None) -> ServerVersion:
        wanted = Wanted(status, message)
        return version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=wanted)

    with pytest.raises(ChangeRefused, match="already active"):
        change("active")
    with pytest.raises(ChangeRefused, match="statusMessage"):
        change("active", "words")
    deprecated = change("deprecated", "use another")
    assert deprecated.status_changed_at > made.status_changed_at
    with pytest.raises(ChangeRefused):
        change("deprecated")
    with pytest.raises(ChangeRefused):
        change("deprecated", "use another")
    reworded = change("deprecated", "use that one")
    assert reworded.status_changed_at == deprecated.status_changed_at
    assert reworded.updated_at > deprecated.updated_at
    deleted = change("deleted")
    assert (deleted.status, deleted.status_message) == ("deleted", None)
    active = change("active")
    assert (active.status, active.status_message) == ("active", None)


def test_latest_moves_with_deleted_versions() -> None:
    for version in ("1.0.0", "2.0.0"):
        publish(version)
    version_status_set(publisher=ALICE, name=NAME, version="2.0.0", wanted=Wanted("deleted"))
    assert flagged() == "1.0.0"
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("deleted"))
    assert flagged() == "2.0.0"  # so that administrators find it
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("active"))
    assert flagged() == "1.0.0"


def test_all_versions_at_once_touch_what_changes_and_tell_all() -> None:
    for version in ("1.0.0", "2.0.0"):
        publish(version)
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("deprecated"))
    before = ServerVersion.objects.get(version="1.0.0").updated_at
    rows = server_status_set(publisher=ALICE, name=NAME, wanted=Wanted("deprecated"))
    assert [(row.version, row.status) for row in rows] == [("2.0.0", "deprecated"), ("1.0.0", "deprecated")]
    assert ServerVersion.objects.get(version="1.0.0").updated_at == before
    with pytest.raises(ChangeRefused):
        server_status_set(publisher=ALICE, name=NAME, wanted=Wanted("deprecated"))


def test_strangers_change_no_status() -> None:
    publish()
    stranger = Publisher(OPERATOR, "github:bob", (Permission("publish", "io.github.bob/*"),))
    for change in (
        lambda: version_status_set(publisher=stranger, name=NAME, version="1.0.0", wanted=Wanted("deleted")),
        lambda: server_status_set(publisher=stranger, name=NAME, wanted=Wanted("deleted")),
    ):
        with pytest.raises(NotPermitted):
            change()
    with pytest.raises(ServerUnknown):
        version_status_set(publisher=ADMIN, name=NAME, version="3", wanted=Wanted("deleted"))
    with pytest.raises(ServerUnknown):
        server_status_set(publisher=ADMIN, name="org.example/none", wanted=Wanted("deleted"))


def test_take_down_hides_all_and_binds_its_publisher() -> None:
    publish("1.0.0")
    publish("2.0.0")
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("deprecated", "old"))
    server_take_down(actor=OPERATOR, name=NAME, reason="It steals keys.")
    assert set(ServerVersion.objects.values_list("status", flat=True)) == {"deleted"}
    for change in (
        lambda: publish("3.0.0"),
        lambda: server_status_set(publisher=ALICE, name=NAME, wanted=Wanted("active")),
        lambda: version_status_set(publisher=ADMIN, name=NAME, version="1.0.0", wanted=Wanted("active")),
    ):
        with pytest.raises(NotPermitted, match="steals keys"):
            change()
    with pytest.raises(ChangeRefused):
        server_take_down(actor=OPERATOR, name=NAME, reason="again")
    server_restore(actor=OPERATOR, name=NAME)
    rows = ServerVersion.objects.order_by("version").values_list("version", "status", "status_message")
    assert list(rows) == [("1.0.0", "deprecated", "old"), ("2.0.0", "active", None)]
    assert flagged() == "2.0.0"
    with pytest.raises(ChangeRefused):
        server_restore(actor=OPERATOR, name=NAME)
    with pytest.raises(ServerUnknown):
        server_take_down(actor=OPERATOR, name="org.example/none", reason="x")


# --- at once


def at_once(jobs: list[Any]) -> list[BaseException | None]:
    """Each in a thread with a connection of its own; what each raised."""
    results: list[BaseException | None] = [None] * len(jobs)
    start = threading.Barrier(len(jobs))

    def run(number: int) -> None:
        try:
            start.wait(20)
            jobs[number]()
        except BaseException as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_thirty_two_publishers_of_one_name(committed: None) -> None:
    versions = [f"{number % 4}.{number}.0" for number in range(32)]
    results = at_once([lambda version=version: publish(version) for version in versions])
    assert results == [None] * 32
    assert Server.objects.count() == 1
    assert sorted(ServerVersion.objects.values_list("version", flat=True)) == sorted(versions)
    assert flagged() == "3.31.0"


def test_one_of_many_gets_a_version_number(committed: None) -> None:
    results = at_once([lambda: publish("1.0.0")] * 8)
    assert len([one for one in results if one is None]) == 1
    assert all(one is None or isinstance(one, ChangeRefused) for one in results)
    assert ServerVersion.objects.get().status == Status.ACTIVE


def test_one_of_many_names_gets_an_address(committed: None) -> None:
    names = [f"org.example.tools/n{number}" for number in range(8)]
    results = at_once([lambda name=name: publish(name=name, remotes=REMOTE) for name in names])
    assert len([one for one in results if one is None]) == 1
    assert all(one is None or isinstance(one, ChangeRefused) for one in results)
