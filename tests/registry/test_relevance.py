"""The labelled queries are sane, and the measure is what it says."""

from __future__ import annotations

import pytest

from benchmarks.registry.relevance import labels, ndcg


def test_sixty_queries_are_labelled() -> None:
    found = labels()
    assert len(found) == 60
    for query, grades in found.items():
        assert grades and set(grades.values()) <= {1, 2, 3}, query
        assert all(name.count("/") == 1 for name in grades), query


@pytest.mark.parametrize(
    ("found", "score"),
    [
        (["a", "b", "c"], 1.0),
        (["x", "a", "b", "c"], 0.6757),
        (["c", "b", "a"], 0.6806),
        ([], 0.0),
        (["x"] * 10 + ["a"], 0.0),
    ],
)
def test_measure(found: list[str], score: float) -> None:
    assert ndcg(found, {"a": 3, "b": 2, "c": 1}) == pytest.approx(score, abs=0.001)
