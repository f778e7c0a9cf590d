"""How well search ranks: nDCG@10 of 60 labelled queries over real entries.

    python -m benchmarks.registry.relevance FILE     FILE: one server.json a line, gzipped or not

relevance.json has the queries: what each server is worth by its name (3 exactly this, 2 about this, 1 near it), or the
query that another one means the same as (misspelt, begun, short). Labels were given by reading the entries' names,
titles and descriptions, of what search found and of all entries that have the words, so that what search misses costs.
A name that FILE lacks is left out on both sides.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

DEPTH = 10
LABELS = Path(__file__).parent / "relevance.json"


def labels() -> dict[str, dict[str, int]]:
    """Grades by name, by query."""
    raw: dict[str, dict[str, int] | str] = json.loads(LABELS.read_text())
    return {query: _grades(raw, given) for query, given in raw.items()}


def _grades(raw: Mapping[str, dict[str, int] | str], given: dict[str, int] | str) -> dict[str, int]:
    found = raw[given] if isinstance(given, str) else given
    assert isinstance(found, dict)
    return found


def ndcg(found: Sequence[str], grades: Mapping[str, int], depth: int = DEPTH) -> float:
    """From 0 to 1: gains 2^grade - 1, discounted by the logarithm of the place (Järvelin and Kekäläinen, 2002)."""
    best = _gain(sorted(grades.values(), reverse=True)[:depth])
    return _gain([grades.get(name, 0) for name in found[:depth]]) / best if best else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def main(path: Path) -> None:
    from benchmarks.registry import loaded

    with loaded.django_site():
        count = loaded.load(path)
        from registry.models import SearchEntry
        from registry.search.finding import Search, find

        there = set(SearchEntry.objects.values_list("name", flat=True))
        scores = {}
        for query, grades in labels().items():
            known = {name: grade for name, grade in grades.items() if name in there}
            if known:
                scores[query] = ndcg([row.name for row in find(Search(text=query)).rows], known)
    for query, score in sorted(scores.items(), key=lambda one: one[1]):
        print(f"{score:.3f}  {query}")
    print(f"nDCG@{DEPTH} {sum(scores.values()) / len(scores):.3f}: {len(scores)} queries, {count} servers")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
