"""Which version is the latest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.precedence import Candidate, latest, semver

START = datetime(2026, 1, 1, tzinfo=UTC)


def of(*versions: str, deleted: tuple[str, ...] = ()) -> str:
    """The latest of versions that were published one a day."""
    found = latest(
        Candidate(number, version, START + timedelta(days=number), version in deleted)
        for number, version in enumerate(versions)
    )
    assert found is not None
    return found.version


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["1.0.0"], "1.0.0"),
        (["2.0.0", "1.9.9"], "2.0.0"),
        (["1.9.0", "1.10.0", "1.2.0"], "1.10.0"),
        (["1.0.0", "1.0.0-rc.1"], "1.0.0"),
        (["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta"], "1.0.0-alpha.beta"),
        (["1.0.0-beta.2", "1.0.0-beta.11"], "1.0.0-beta.11"),
        (["1.0.0-2", "1.0.0-a", "1.0.0-10"], "1.0.0-a"),
        (["1.0.0+a", "1.0.0+b"], "1.0.0+a"),  # equal does not replace
        (["v1.2.0", "1.1.0"], "v1.2.0"),
        (["0.1.0", "2026.01.02"], "0.1.0"),  # no semantic version never goes before one
        (["2026.02.01", "2026.01.02"], "2026.01.02"),  # the later published
        (["2026.1.2", "2025.12.31"], "2026.1.2"),  # without leading zeros it is one
        (["1.0", "nightly"], "nightly"),
    ],
)
def test_latest(versions: list[str], expected: str) -> None:
    assert of(*versions) == expected


def test_deleted_versions_count_only_when_all_are() -> None:
    assert of("1.0.0", "2.0.0", deleted=("2.0.0",)) == "1.0.0"
    assert of("1.0.0", "2.0.0", deleted=("1.0.0", "2.0.0")) == "2.0.0"
    assert latest([]) is None


@pytest.mark.parametrize("text", ["1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "V1.0.0", "1.0.0 ", ""])
def test_no_semantic_version(text: str) -> None:
    assert semver(text) is None


_NUMBERS = st.integers(0, 3)
_SEMVERS = st.builds(
    lambda a, b, c, pre: f"{a}.{b}.{c}" + (f"-{'.'.join(pre)}" if pre else ""),
    _NUMBERS,
    _NUMBERS,
    _NUMBERS,
    st.lists(st.sampled_from(["0", "1", "10", "a", "b", "a-1"]), max_size=2),
)


@given(
    st.lists(st.one_of(_SEMVERS, st.sampled_from(["x", "2026.01.01"])), min_size=1, max_size=6, unique=True), st.data()
)
def test_order_of_publishing_does_not_matter_among_semantic_versions(versions: list[str], data: st.DataObject) -> None:
    others = data.draw(st.permutations(versions))
    first, second = of(*versions), of(*others)
    if semver(first) is not None:
        assert first == second
