"""Characters that a reader can't see but a model reads: made visible as ⟦U+200B⟧. Pure.

Which ones: what Unicode calls format characters (Cf: zero-width, bidirectional controls, the tag block), controls other
than the ordinary white space, surrogates, private use, code points that are assigned to nothing, variation selectors,
and blanks that look like nothing (UAX #31, UTR #36 and the "tag" smuggling of prompts).
"""

from __future__ import annotations

import re
import unicodedata

_PLAIN_WHITE = frozenset("\t\n\r ")
_CATEGORIES = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that are drawn as nothing at all.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u034f\u2800\u180b\u180c\u180d\u180f")
_ASCII = re.compile(r"[\t\n\r\x20-\x7e]*")


def is_invisible(character: str) -> bool:
    if character in _PLAIN_WHITE or " " < character <= "~":
        return False
    if character in _BLANK or _is_variation_selector(character):
        return True
    return unicodedata.category(character) in _CATEGORIES


def has_invisible(text: str) -> bool:
    return _ASCII.fullmatch(text) is None and any(map(is_invisible, text))


def shown(text: str) -> str:
    """The text with everything invisible written out. A tag character also tells the letter that it hides."""
    if _ASCII.fullmatch(text):
        return text
    return "".join(_named(character) if is_invisible(character) else character for character in text)


def _named(character: str) -> str:
    code = ord(character)
    hidden = chr(code - 0xE0000) if 0xE0020 <= code <= 0xE007E else ""
    return f"⟦U+{code:04X}{f' “{hidden}”' if hidden else ''}⟧"


def _is_variation_selector(character: str) -> bool:
    """Emoji use U+FE0F and U+FE0E after a sign that is seen; the others carry data and nothing that is drawn."""
    return "\ufe00" <= character <= "\ufe0d" or "\U000e0100" <= character <= "\U000e01ef"
