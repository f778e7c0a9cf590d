"""Builds in a process of its own: `builder.py STORE REFERENCE` prints each progress text, then the digest."""

from __future__ import annotations

import sys
from pathlib import Path

from hosting import environments
from hosting.kinds import parse


def main(store: str, reference: str) -> None:
    built = environments.build(parse(reference), Path(store), lambda text, _: print(text, flush=True))
    print(built.digest, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
