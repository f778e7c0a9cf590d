"""Names that look like another one. Pure.

Names are ASCII by the schema (imports may break it), so what deceives is what looks alike in ASCII: `rn` for `m`,
`0` for `o`, a capital `I` for `l`, another separator, letters swapped or doubled.
"""

from __future__ import annotations

import re
import unicodedata

_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "3": "e", "8": "b", "$": "s", "@": "a"})
# Of other scripts, what looks like a Latin letter (Unicode TR 39, the letters that matter in names).
_FOREIGN = str.maketrans("аеорсухікѕјԁԛԝһӏαονρτυκιɡıƽ", "aeopcyxiksjdqwhlaovptukigis")
_FILLERS = re.compile(r"(?:^|[-_.])(?:mcp|server|official|the|app)(?=$|[-_.])")


def skeleton(name: str) -> str:
    """Two names with one skeleton look alike; what stands before the slash and after it are compared apart."""
    namespace, _, part = name.partition("/")
    return f"{_skeleton(namespace)}/{_skeleton(part)}"


def _skeleton(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold().translate(_FOREIGN)
    text = "".join(letter for letter in text if letter.isalnum() or letter in "|$@")
    for pair, single in _PAIRS:
        text = text.replace(pair, single)
    return text.translate(_ALIKE)


def core(part: str) -> str:
    """The part after the slash without what every second name has: `mcp-slack-server` → `slack`."""
    bare = _FILLERS.sub("", part.casefold()).strip("-_.")
    return bare or part.casefold()


def distance(one: str, other: str, most: int = 3) -> int:
    """Letters to insert, delete, replace or swap with a neighbour; at most `most` + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, there in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != there))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == there:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
