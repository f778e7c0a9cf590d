"""A registry of any size, grown from the entries of a file: names, sizes and version counts distributed as they are.

Each server made is one of the file's under another name. Its versions are those of the original, scaled so that the
wanted mean is met: copies with higher patch numbers where there are too few. Without a file it grows from the examples
of the tests, given as many versions and as long names and documents as 4,430 real entries have (distribution.json).
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
from tests.registry.examples import PROVIDED, VALID

DISTRIBUTION = Path(__file__).with_name("distribution.json")

OFFICIAL = "io.modelcontextprotocol.registry/official"
START = datetime(2025, 9, 1, tzinfo=UTC)


def originals(path: Path | None) -> list[list[dict[str, Any]]]:
    """The servers of the file, each as its versions."""
    if path is None:
        return list(imitated())
    found: dict[str, list[dict[str, Any]]] = {}
    for one in documents(path):
        if isinstance(one.get("name"), str) and isinstance(one.get("version"), str) and "/" in one["name"]:
            found.setdefault(one["name"], []).append(one)
    return list(found.values())


def imitated() -> Iterator[list[dict[str, Any]]]:
    """As many servers as the real entries are of. Their sizes are met by what publishers may add."""
    dice = random.Random(11)
    known = msgspec.json.decode(DISTRIBUTION.read_bytes())
    patterns = list(VALID.values())
    for count, servers in known["versions_of_a_server"].items():
        for _ in range(servers):
            pattern, size = dice.choice(patterns), _drawn(dice, known["document_bytes"])
            name = f"io.example/{'server-of-somebody-' * 12}"[: max(13, _drawn(dice, known["name_characters"]) - 5)]
            document = {**pattern, "name": name.rstrip("-") + "x"}
            missing = size - len(msgspec.json.encode(document)) - len(PROVIDED) - 24
            if missing > 0:
                document["_meta"] = {PROVIDED: {"notes": "word " * (missing // 5)}}
            yield [{**document, "version": f"1.{minor}.0"} for minor in range(int(count))]


def _drawn(dice: random.Random, quantiles: list[int]) -> int:
    at = dice.random() * (len(quantiles) - 1)
    low, high = quantiles[int(at)], quantiles[int(at) + 1]
    return round(low + (high - low) * (at % 1))


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
