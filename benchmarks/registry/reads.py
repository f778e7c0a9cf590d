"""The registry's API on 105,000 versions of 32,000 servers, beside bare psycopg; see README.md.

python -m benchmarks.registry.reads [ENTRIES.ndjson.gz]
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from benchmarks.registry import load
from benchmarks.registry.grown import written
from benchmarks.registry.priority import in_front
from tests.stack import ROOT, Stack

CLIENTS = (1, 32)
COLUMNS = "id, name, version, document, status, status_message, status_changed_at, published_at, updated_at, is_latest"
WORDS = [
    *("github", "slack", "weather", "postgres", "file", "search", "memory", "browser", "notion", "jira", "kubernetes"),
    *("docker", "email", "calendar", "pdf", "image", "video", "stripe", "figma", "sql", "crypto", "news", "maps"),
]
FILTERS = ("", "&package=npm", "&package=pypi", "&runs=remote", "&transport=stdio", "&secrets=none", "&sort=updated")
Queries = list[tuple[str, tuple[Any, ...]]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("entries", type=Path, nargs="?", help="real entries; default: like them")
    arguments.add_argument("--servers", type=int, default=32_000)
    arguments.add_argument("--versions", type=int, default=105_000)
    arguments.add_argument("--seconds", type=float, default=4.0)
    arguments.add_argument("--web-processes", default="2")
    arguments.add_argument("--in-front", action="store_true", help="of everything else on the machine; as root")
    arguments.add_argument("--hold", type=Path, help="a file that is there while it measures")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="slipway-registry-") as folder:
        dump = Path(folder) / "dump.ndjson.gz"
        count = written(given.entries, dump, given.servers, given.versions)
        print(f"{count} versions of {given.servers} servers", flush=True)
        site = Stack(Path(folder) / "home", WEB_PROCESSES=given.web_processes)
        try:
            site.start()
            imported(site, dump)
            if given.hold:
                given.hold.touch()
            measured(site, given.seconds, is_in_front=given.in_front)
        finally:
            if given.hold:
                given.hold.unlink(missing_ok=True)
            site.stop()


def imported(site: Stack, dump: Path) -> None:
    began = time.monotonic()
    command = [sys.executable, str(ROOT / "manage.py"), "import_registry", str(dump)]
    subprocess.run(command, env=dict(site.environment), cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    mebibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"import: {time.monotonic() - began:.0f} s, at most {mebibytes:.0f} MiB of any process so far", flush=True)
    began = time.monotonic()
    subprocess.run(command, env=dict(site.environment), cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    print(f"the same again: {time.monotonic() - began:.0f} s", flush=True)


def conninfo(site: Stack) -> str:
    script = "from registry.api.database import conninfo; print('CONNINFO', conninfo())"
    told = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "shell", "-c", script],
        env=dict(site.environment),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return next(line for line in told.splitlines() if line.startswith("CONNINFO "))[9:]


def measured(site: Stack, seconds: float, *, is_in_front: bool = False) -> None:
    info = conninfo(site)
    with psycopg.connect(info, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE registry_server, registry_serverversion, registry_searchentry")
        cases = cases_of(connection)
    print("| read | clients | requests/s | p50 ms | p95 ms | p99 ms | bare psycopg: /s | p50 | p95 |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name, (paths, queries) in cases.items():
        for clients in CLIENTS:
            with in_front(site.pid, is_wanted=is_in_front):
                api = load.api(site.url, paths, clients, seconds)
                bare = load.bare(info, queries, clients, seconds / 2)
            row(name, clients, api, bare)
    for clients in (1, 8):
        with in_front(site.pid, is_wanted=is_in_front):
            page = load.api(site.url, searches(), clients, seconds)
        row("page of a search with facets", clients, page, None)
    stop = threading.Event()
    writer = threading.Thread(target=keep_writing, args=(info, stop))
    writer.start()
    try:
        for name, (paths, _) in cases.items():
            with in_front(site.pid, is_wanted=is_in_front):
                api = load.api(site.url, paths, 32, seconds)
            row(f"{name}, 20 writes/s", 32, api, None)
    finally:
        stop.set()
        writer.join()


def searches() -> list[str]:
    """Addresses of the list's page: one word or two, most with a filter. No two the same."""
    dice = random.Random(5)
    found: dict[str, None] = {}
    while len(found) < 1000:
        text = "+".join(dice.sample(WORDS, dice.choice((1, 1, 2))))
        found[f"/registry/?q={text}{dice.choice(FILTERS)}{dice.choice(FILTERS)}"] = None
    return list(found)


def row(name: str, clients: int, api: load.Figures, bare: load.Figures | None) -> None:
    other = f"{bare.per_second:.0f} | {bare.p50:.2f} | {bare.p95:.2f}" if bare else "| |"
    cells = f"{api.per_second:.0f} | {api.p50:.2f} | {api.p95:.2f} | {api.p99:.2f}"
    print(f"| {name} | {clients} | {cells} | {other} |", flush=True)


def keep_writing(info: str, stop: threading.Event) -> None:
    """So often that hardly anything is answered from memory."""
    with psycopg.connect(info, autocommit=True) as connection:
        while not stop.wait(0.05):
            connection.execute("UPDATE registry_serverversion SET status_message = now()::text WHERE id = 1")


def cases_of(connection: psycopg.Connection[Any]) -> dict[str, tuple[list[str], Queries]]:
    """Paths of each kind of read, and the queries of their rows. Pages are spread over the whole list."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    from registry.api import cursors
    from registry.api.parameters import listing
    from registry.api.reads import list_query

    dice = random.Random(3)
    sql = "SELECT name, id, version FROM registry_serverversion TABLESAMPLE SYSTEM (20) WHERE status <> 'deleted'"
    rows = connection.execute(sql).fetchall()
    dice.shuffle(rows)
    moment = connection.execute(
        "SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY changed_at) FROM registry_serverversion"
    ).fetchone()
    since = moment[0].astimezone(UTC) if moment else datetime.now(UTC)
    stamp = quote(since.isoformat().replace("+00:00", "Z"))

    def bare(query: dict[str, str]) -> tuple[str, tuple[Any, ...]]:
        sql, parameters = list_query(listing(query))
        return sql.replace("*", COLUMNS, 1), parameters

    def pages(**query: str) -> tuple[list[str], Queries]:
        found: tuple[list[str], Queries] = ([], [])
        for name, id_, _ in rows[:3000]:
            given = {**query, "cursor": cursors.encode(name, id_, {})}
            found[0].append("/v0.1/servers?" + "&".join(f"{key}={value}" for key, value in given.items()))
            found[1].append(bare(given))
        return found

    by_place = sorted(rows)

    def part(places: slice) -> tuple[list[str], Queries]:
        paths, queries = [], []
        for name, id_, _ in by_place[places]:
            given = {"limit": "30", "cursor": cursors.encode(name, id_, {})}
            paths.append("/v0.1/servers?" + "&".join(f"{key}={value}" for key, value in given.items()))
            queries.append(bare(given))
        return paths, queries

    sql = "SELECT name FROM registry_serverversion WHERE is_latest AND status <> 'deleted'"
    names = [name for (name,) in connection.execute(sql).fetchall()]
    dice.shuffle(names)
    entry_sql = f"SELECT {COLUMNS} FROM registry_serverversion WHERE name = %s AND is_latest"
    by_name = [f"/v0.1/servers/{quote(name, safe='')}/versions/latest" for name in names]
    since_path = f"/v0.1/servers?updated_since={stamp}&limit=100"
    since_query = bare({"updated_since": since.isoformat().replace("+00:00", "Z"), "limit": "100"})
    return {
        "list, 30, anywhere": pages(limit="30"),
        "list, 30, among the first": part(slice(3000)),
        "list, 30, among the last": part(slice(-3000, None)),
        "list, 100, anywhere": pages(limit="100"),
        "version=latest, 50, anywhere": pages(limit="50", version="latest"),
        "updated_since, 100 of 1 %": ([since_path], [since_query]),
        "by name, latest": (by_name, [(entry_sql, (name,)) for name in names]),
    }


if __name__ == "__main__":
    main()
