"""A registry of any size, grown from the entries of a file: names, sizes and version counts distributed as they are.

Each server made is one of the file's under another name. Its versions are those of the original, scaled so that the
wanted mean is met: copies with higher patch numbers where there are too few. Without a file the examples of the tests
are what it grows from, so that the benchmark runs anywhere; figures to quote come from real entries.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.registry.loaded import documents
from tests.registry.examples import VALID

OFFICIAL = "io.modelcontextprotocol.registry/official"
START = datetime(2025, 9, 1, tzinfo=UTC)


def originals(path: Path | None) -> list[list[dict[str, Any]]]:
    """The servers of the file, each as its versions."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in documents(path) if path else VALID.values():
        if isinstance(one.get("name"), str) and isinstance(one.get("version"), str) and "/" in one["name"]:
            name = one["name"] if path else f"{one['name']}-{len(found)}"
            found.setdefault(name, []).append(one)
    return list(found.values())


def grown(path: Path | None, servers: int, versions: int) -> Iterator[dict[str, Any]]:
    """Entries as the API lists them, by name. The same each time."""
    dice = random.Random(7)
    known = originals(path)
    factor = versions / servers / (sum(map(len, known)) / len(known))
    made: list[tuple[str, list[dict[str, Any]]]] = []
    for number in range(servers):
        original = dice.choice(known)
        namespace, _, part = original[0]["name"].partition("/")
        made.append((f"{namespace}{number:05}/{part}"[:200], original))
    made.sort()
    for number, (name, original) in enumerate(made):
        exact = len(original) * factor
        count = max(1, int(exact) + (dice.random() < exact % 1))
        for place in range(count):
            yield _entry(name, original[place % len(original)], place // len(original), number, place)


def _entry(name: str, original: dict[str, Any], round_: int, number: int, place: int) -> dict[str, Any]:
    document = {**original, "name": name}
    if round_:
        document["version"] = (
            f"{original['version']}.{round_}" if "-" in original["version"] else _bumped(original, round_)
        )
    if remotes := original.get("remotes"):
        document["remotes"] = [{**one, "url": f"{one['url']}?server={number}"} for one in remotes if one.get("url")]
    at = (START + timedelta(minutes=number * 7 % 500_000, hours=place)).isoformat().replace("+00:00", "Z")
    status = "deleted" if number % 93 == 0 else "active"
    meta = {"status": status, "statusChangedAt": at, "publishedAt": at, "updatedAt": at, "isLatest": False}
    return {"server": document, "_meta": {OFFICIAL: meta}}


def _bumped(original: dict[str, Any], round_: int) -> str:
    head, dot, last = original["version"].rpartition(".")
    return f"{head}.{int(last) + 1000 * round_}" if dot and last.isdecimal() else f"{original['version']}.{round_}"


def written(path: Path | None, to: Path, servers: int, versions: int) -> int:
    """How many entries; one in each line of a gzipped file."""
    count = 0
    with gzip.open(to, "wb", compresslevel=1) as file:
        for one in grown(path, servers, versions):
            file.write(msgspec.json.encode(one) + b"\n")
            count += 1
    return count
