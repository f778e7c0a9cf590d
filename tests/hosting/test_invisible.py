"""What a reader can't see is written out."""

from __future__ import annotations

import pytest

from hosting.tools.invisible import has_invisible, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u200bb", "a⟦U+200B⟧b"),  # zero-width space
        ("a\u200d\u200cb", "a⟦U+200D⟧⟦U+200C⟧b"),  # joiners
        ("\ufeffa", "⟦U+FEFF⟧a"),  # byte order mark
        ("a\u2060b", "a⟦U+2060⟧b"),  # word joiner
        ("\u202eabc\u202c", "⟦U+202E⟧abc⟦U+202C⟧"),  # right-to-left override
        ("\u2066a\u2069", "⟦U+2066⟧a⟦U+2069⟧"),  # isolates
        ("\u061ca", "⟦U+061C⟧a"),  # Arabic letter mark
        ("soft\u00adhyphen", "soft⟦U+00AD⟧hyphen"),
        ("\U000e0068\U000e0069", "⟦U+E0068 “h”⟧⟦U+E0069 “i”⟧"),  # tag characters
        ("\U000e0001x\U000e007f", "⟦U+E0001⟧x⟦U+E007F⟧"),
        ("a\ufe01b\U000e0100", "a⟦U+FE01⟧b⟦U+E0100⟧"),  # variation selectors
        ("a\x1b[0mb", "a⟦U+001B⟧[0mb"),  # a terminal's escape
        ("a\x00\x7f\x9bb", "a⟦U+0000⟧⟦U+007F⟧⟦U+009B⟧b"),
        ("a\u2028b\u2029", "a⟦U+2028⟧b⟦U+2029⟧"),  # line and paragraph separators
        ("\u3164\u115f\uffa0", "⟦U+3164⟧⟦U+115F⟧⟦U+FFA0⟧"),  # Hangul fillers
        ("\u2800", "⟦U+2800⟧"),  # empty Braille
        ("\ue000\U000f0000", "⟦U+E000⟧⟦U+F0000⟧"),  # private use
        ("\ud83d", "⟦U+D83D⟧"),  # half of a pair
        ("\u034f", "⟦U+034F⟧"),  # combining grapheme joiner
        ("\U000e0fff", "⟦U+E0FFF⟧"),  # assigned to nothing
    ],
)
def test_invisible_characters_are_named(text: str, expected: str) -> None:
    assert has_invisible(text)
    assert shown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "tab\tand\nlines\r\n",
        "Zürich, naïve, Ελληνικά",
        "日本語　テキスト",
        "العربية",
        "❤️ 👍🏽",
        "non\u00a0breaking",
    ],
)
def test_what_can_be_seen_is_left_alone(text: str) -> None:
    assert not has_invisible(text)
    assert shown(text) == text
