"""Imports: what is kept, what this site's own word outweighs, and that a dump brings the same dump."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from common.errors import BadInput
from events.actors import OPERATOR
from registry.importing.importing import Report, file_import
from registry.importing.records import NotKept, record
from registry.importing.storing import batch_store
from registry.jobs import count_words
from registry.models import SearchWord, Server, ServerVersion, Upstream
from registry.permissions import Permission
from registry.publishing import Publisher, version_publish
from registry.statuses import Wanted, version_status_set
from registry.taking_down import server_restore, server_take_down
from tests.registry.examples import VALID, based
from tests.registry.site import Site, put

OFFICIAL = "io.modelcontextprotocol.registry/official"
NAME = "org.example.tools/weather"
ALICE = Publisher(OPERATOR, "dns:example.org", (Permission("publish", "*"), Permission("edit", "*")))


def entry(version: str = "1.0.0", name: str = NAME, *, day: int = 1, status: str = "active", **more: Any) -> Any:
    at = f"2026-01-{day:02}T10:00:00.123456Z"
    meta = {"status": status, "statusChangedAt": at, "publishedAt": at, "updatedAt": at, "isLatest": False}
    return {"server": based(name=name, version=version, **more), "_meta": {OFFICIAL: meta}}


def store(*entries: Any, upstream: Upstream | None = None) -> tuple[int, int]:
    label = upstream.label if upstream else "a file"
    stored = batch_store([record(one) for one in entries], verified_by=label, upstream=upstream)
    return stored.changed, stored.left


def upstream(label: str) -> Upstream:
    return Upstream.objects.create(label=label, url=f"https://{label}")


def statuses() -> dict[str, str]:
    return dict(ServerVersion.objects.values_list("version", "status"))


# --- one entry


def test_entry_keeps_its_times_and_status() -> None:
    found = record(entry(status="deprecated", day=7))
    assert found.published_at == datetime(2026, 1, 7, 10, 0, 0, 123456, UTC)
    assert (found.name, found.version, found.status, found.marks) == (NAME, "1.0.0", "deprecated", [])


def test_document_without_an_entry_around_it() -> None:
    found = record(based())
    assert (found.status, found.published_at, found.updated_at) == ("active", None, None)


@pytest.mark.parametrize(
    "value", [None, [], "x", {}, {"name": "a/b"}, {"name": 1, "version": "1"}, {"name": "a\nb", "version": "1"}]
)
def test_what_has_no_name_or_version_is_not_kept(value: Any) -> None:
    with pytest.raises(NotKept):
        record(value)


def test_what_breaks_rules_is_kept_and_marked() -> None:
    found = record({"server": {"name": "a/b/c", "version": "latest", "packages": "none"}, "_meta": "odd"})
    assert found.marks
    assert json.loads(found.document)["packages"] == "none"


def test_characters_that_no_database_keeps_are_replaced() -> None:
    found = record(based(title="a\0b\ud800c"))
    assert json.loads(found.document)["title"] == "a\ufffdb?c"


# --- batches


@pytest.mark.django_db
def test_latest_is_this_sites_own_decision() -> None:
    assert store(entry("1.0.0"), entry("1.10.0", day=2), entry("1.9.0", day=3)) == (3, 0)
    assert ServerVersion.objects.get(is_latest=True).version == "1.10.0"
    store(entry("1.10.0", day=2, status="deleted"), entry("1.9.5", day=4))
    assert ServerVersion.objects.get(is_latest=True).version == "1.9.5"


@pytest.mark.django_db
def test_same_again_changes_nothing() -> None:
    store(entry("1.0.0"), entry("2.0.0"))
    before = list(ServerVersion.objects.order_by("id").values())
    assert store(entry("1.0.0"), entry("2.0.0")) == (0, 0)
    assert list(ServerVersion.objects.order_by("id").values()) == before


@pytest.mark.django_db
def test_changed_at_is_this_sites_time_and_updated_at_the_entrys() -> None:
    store(entry())
    row = ServerVersion.objects.get()
    assert row.updated_at == datetime(2026, 1, 1, 10, 0, 0, 123456, UTC)
    assert row.changed_at.year >= 2026 and row.changed_at > row.updated_at


@pytest.mark.django_db
def test_bare_documents_do_not_reset_times() -> None:
    store(entry(status="deprecated"))
    before = ServerVersion.objects.get()
    assert store(based(name=NAME, version="1.0.0", title="New")) == (1, 0)
    after = ServerVersion.objects.get()
    assert after.server_json["title"] == "New"
    assert (after.status, after.published_at) == (before.status, before.published_at)


@pytest.mark.django_db
def test_name_that_was_published_here_takes_nothing_from_elsewhere() -> None:
    store(entry("1.0.0"))
    version_publish(publisher=ALICE, document=based(name=NAME, version="1.5.0"))
    assert store(entry("1.0.0", title="Other"), entry("2.0.0")) == (0, 2)
    assert sorted(statuses()) == ["1.0.0", "1.5.0"]
    assert Server.objects.get().verified_by == "dns:example.org"


@pytest.mark.django_db
def test_version_that_was_changed_here_stays() -> None:
    store(entry("1.0.0"), entry("2.0.0"))
    version_status_set(publisher=ALICE, name=NAME, version="1.0.0", wanted=Wanted("deprecated", "ours"))
    assert store(entry("1.0.0", day=5), entry("2.0.0", day=5)) == (1, 0)
    assert statuses() == {"1.0.0": "deprecated", "2.0.0": "active"}


@pytest.mark.django_db
def test_take_down_survives_every_sync() -> None:
    store(entry("1.0.0"))
    server_take_down(actor=OPERATOR, name=NAME, reason="malware")
    assert store(entry("1.0.0", day=9), entry("2.0.0", day=9)) == (0, 2)
    assert statuses() == {"1.0.0": "deleted"}
    server_restore(actor=OPERATOR, name=NAME)
    assert store(entry("2.0.0", day=9)) == (1, 0)


@pytest.mark.django_db
def test_first_upstream_that_brought_a_name_keeps_it() -> None:
    one, other = upstream("one.example"), upstream("two.example")
    store(entry("1.0.0"), upstream=one)
    assert store(entry("1.0.0", title="Other"), entry("3.0.0"), upstream=other) == (0, 2)
    assert store(entry("2.0.0"), upstream=one) == (1, 0)
    server = Server.objects.get()
    assert (server.verified_by, server.upstream, server.is_local) == ("one.example", one, False)


@pytest.mark.django_db
def test_upstream_adopts_what_a_file_brought() -> None:
    store(entry("1.0.0"))
    one = upstream("one.example")
    store(entry("1.0.0"), upstream=one)
    assert Server.objects.get().verified_by == "one.example"


# --- files


def lines(*values: Any) -> bytes:
    return b"\n".join(json.dumps(value).encode() for value in values) + b"\n"


_ENTRIES = [entry(name=f"org.example/s{number}") for number in range(3)]
_PAGE = {"servers": _ENTRIES, "metadata": {"count": 3}}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        lines(*_ENTRIES),
        lines(*_ENTRIES).rstrip(),
        gzip.compress(lines(*_ENTRIES)),
        json.dumps(_PAGE).encode(),
        json.dumps(_PAGE, indent=2).encode(),
        json.dumps(_ENTRIES, indent=2).encode(),
        lines(_PAGE),
        lines({"servers": _ENTRIES[:1]}, {"servers": _ENTRIES[1:]}),
        lines([{"servers": _ENTRIES[:1]}, {"servers": _ENTRIES[1:]}]),
        lines(*[one["server"] for one in _ENTRIES]),
    ],
)
def test_files_of_any_usual_form(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dump"
    path.write_bytes(content)
    report = file_import(path, verified_by="dump")
    assert (report.read, report.changed, report.not_kept) == (3, 3, 0)
    assert set(Server.objects.values_list("verified_by", flat=True)) == {"dump"}


@pytest.mark.django_db
def test_words_are_counted_when_much_has_come(tmp_path: Path) -> None:
    """Which are common decides what a search is about."""
    path = tmp_path / "dump"
    path.write_bytes(
        lines(*[entry(name=f"org.example/s{n}", title="Umbrella", description=f"Unique{n}") for n in (1, 2)])
    )
    file_import(path, verified_by="dump")
    counts = dict(SearchWord.objects.values_list("word", "count"))
    assert (counts["umbrella"], counts["unique1"]) == (2, 1)
    Server.objects.filter(name="org.example/s1").delete()
    count_words()
    counts = dict(SearchWord.objects.values_list("word", "count"))
    assert counts["umbrella"] == 1 and "unique1" not in counts


@pytest.mark.django_db
def test_one_bad_line_does_not_spoil_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "dump.ndjson"
    odd = b'{"name": "a.b/odd", "version": "1", "title": "\\ud800"}\n'
    path.write_bytes(lines(_ENTRIES[0]) + b"{broken\n\n" + odd + lines({"no": "name"}, _ENTRIES[1]))
    report = file_import(path, verified_by="dump")
    assert (report.changed, report.not_kept) == (3, 2)
    assert "line 2" in report.reasons[0]


@pytest.mark.parametrize("content", [b"", b"no JSON at all", b"\x1f\x8bbroken"])
@pytest.mark.django_db
def test_what_is_no_file_of_entries_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dump"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        file_import(path, verified_by="dump")
    with pytest.raises(BadInput):
        file_import(tmp_path / "none", verified_by="dump")


@pytest.mark.django_db
def test_more_than_one_batch(tmp_path: Path) -> None:
    path = tmp_path / "dump.ndjson"
    path.write_bytes(lines(*[entry(f"1.{number}.0", name=f"org.example/s{number % 50}") for number in range(2500)]))
    seen: list[int] = []
    report = file_import(path, verified_by="dump", on_batch=lambda one: seen.append(one.read))
    assert (report.changed, seen) == (2500, [1000, 2000, 2500])
    assert ServerVersion.objects.filter(is_latest=True).count() == Server.objects.count() == 50
    assert ServerVersion.objects.get(name="org.example/s7", is_latest=True).version == "1.2457.0"


def test_command(committed: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dump.ndjson"
    path.write_bytes(lines(*_ENTRIES, {"no": "name"}))
    call_command("import_registry", str(path), label="elsewhere.example")
    said = capsys.readouterr()
    assert "4 entries read: 3 added or changed" in said.out
    assert "no usable name" in said.err
    assert set(Server.objects.values_list("verified_by", flat=True)) == {"elsewhere.example"}


# --- there and back


def dump(site: Site) -> list[Any]:
    found: list[Any] = []
    path = "/v0.1/servers?include_deleted=true&limit=7"
    while True:
        page = site.get(path).json()
        found += page["servers"]
        if "nextCursor" not in page["metadata"]:
            return found
        path = f"/v0.1/servers?include_deleted=true&limit=7&cursor={page['metadata']['nextCursor']}"


def test_dump_imported_into_an_empty_site_gives_the_same_dump(site: Site, tmp_path: Path) -> None:
    for number, document in enumerate(VALID.values()):
        name = f"{document['name']}-{number}" if number % 3 else document["name"]
        kept = {**document, "name": name, "version": f"{number % 5}.{number}.0", "remotes": []}
        version_publish(publisher=ALICE, document=kept)
    put("a.b/odd", "latest", status="deprecated", status_message="“quoted”\n")
    store(entry("1.0.0", "a.b/imported"), entry("2026.01.01", "a.b/imported", day=3))
    server_take_down(actor=OPERATOR, name="a.b/imported", reason="x")
    before = dump(site)
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({"servers": before, "metadata": {"count": len(before)}}))
    Server.objects.all().delete()
    assert dump(site) == []
    report: Report = file_import(path, verified_by="dump")
    assert report.changed == len(before) > 20
    assert dump(site) == before
