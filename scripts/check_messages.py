"""Whether translations have the values of their messages: `%(name)s`, which msgfmt leaves unjudged in those of scripts.

Part of `make messages`; reads the compiled catalogues of locale/. Exit code 1, and a line for each that differs.
"""

import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

_VALUE = re.compile(r"%\((\w+)\)s")


def main() -> int:
    found = [line for path in sorted(Path("locale").glob("*/LC_MESSAGES/*.mo")) for line in differences(path)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


def differences(path: Path) -> Iterator[str]:
    """One line for each translation that has other values than its message. Forms of a plural may leave some out, as
    English does where there is one; what they have together counts."""
    for message, translation in pairs(path.read_bytes()):
        expected, values = set(_VALUE.findall(message)), set(_VALUE.findall(translation))
        if values != expected:
            yield f"{path}: {message.partition(chr(0))[0]!r} has {_listed(expected)}, its translation {_listed(values)}"


def pairs(compiled: bytes) -> Iterator[tuple[str, str]]:
    """Messages and their translations, forms of a plural separated by NUL (GNU gettext's manual, "The Format of GNU MO
    Files"). The first pair is the header, of the empty message."""
    count, *tables = struct.unpack_from("=3I", compiled, 8)
    for number in range(count):
        places = (struct.unpack_from("=2I", compiled, table + 8 * number) for table in tables)
        message, translation = (compiled[at : at + length].decode() for length, at in places)
        yield message, translation


def _listed(values: set[str]) -> str:
    return ", ".join(sorted(values)) or "none"


if __name__ == "__main__":
    sys.exit(main())
