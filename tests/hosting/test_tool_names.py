"""SEP-986: which names of tools fit the rule, and what the owner is told of the others."""

from __future__ import annotations

import pytest

from hosting.tools.names import fits, notices_with


@pytest.mark.parametrize("name", ["a", "getUser", "DATA_EXPORT_v2", "admin.tools.list", "x-1", "a" * 128])
def test_names_that_fit(name: str) -> None:
    assert fits(name)


@pytest.mark.parametrize("name", ["", "a" * 129, "a b", "a,b", "a/b", "über", "a\n", "\u200b", None, 5])
def test_names_that_do_not(name: object) -> None:
    assert not fits(name)


def test_the_notice_is_that_of_the_last_look() -> None:
    first = notices_with(["Kept."], ["fine", "a b", "\u200bx"])
    assert first[0] == "Kept." and len(first) == 2
    assert "“a b”, “⟦U+200B⟧x”" in first[1] and "fine" not in first[1]
    second = notices_with(first, ["fine", "twice", "twice"])
    assert "“twice”" in second[1] and "a b" not in second[1]
    assert notices_with(second, ["fine"]) == ["Kept."]


def test_long_lists_are_cut() -> None:
    (notice,) = notices_with([], [f"a {number}" for number in range(9)] + ["b " * 500])
    assert notice.endswith("“a 4” and 5 more.")
    assert len(notices_with([], ["b " * 500])[0]) < 300
