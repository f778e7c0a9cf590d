"""Secrets sealed and opened: the envelope alone, and with database and audit, beside one bare AES-256-GCM.

python -m benchmarks.vault.seal [--rounds 7]: one process, a database of its own.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.registry.loaded import django_site
from benchmarks.turns import by_turns

EACH = 500
SECRETS = 20  # of one server, many for one
STARTS = 20
VALUE = "x" * 64


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=7)
    rounds = asked.parse_args().rounds
    with django_site():
        logging.disable(logging.INFO)
        found = by_turns(_ways(), rounds)
    bare = found["bare AES-256-GCM, one way"].wall
    print("| what | us each | us of processor | to bare |\n|---|---|---|---|")
    for name, taken in found.items():
        print(f"| {name} | {taken.wall * 1e6:,.1f} | {taken.cpu * 1e6:,.1f} | {taken.wall / bare:,.1f} |")


def _ways() -> dict[str, tuple[int, Callable[[], object]]]:
    from events.actors import OPERATOR
    from tests.factories import make_deployment, make_user
    from vault import envelope, keys
    from vault.envelope import Place
    from vault.services import Holder, secrets_put, secrets_use

    user = make_user()
    few, many = (Holder.personal(user.pk, make_deployment(user, name).pk) for name in ("few", "many"))
    place, provider = Place("personal", str(uuid4()), str(uuid4()), "env:API_KEY", 1), keys.provider()
    sealed, cipher = envelope.seal(provider, place, VALUE), AESGCM(os.urandom(32))
    values = {f"env:KEY_{number}": VALUE for number in range(SECRETS)}
    one = {"env:API_KEY": VALUE}
    secrets_put(actor=OPERATOR, holder=few, values=one)
    secrets_put(actor=OPERATOR, holder=many, values=values)
    return {
        "bare AES-256-GCM, one way": _many(lambda: cipher.encrypt(os.urandom(12), VALUE.encode(), place.bound), EACH),
        "envelope sealed": _many(lambda: envelope.seal(provider, place, VALUE), EACH),
        "envelope opened": _many(lambda: envelope.unseal(provider, place, sealed), EACH),
        "1 secret replaced, with its audit": _many(lambda: secrets_put(actor=OPERATOR, holder=few, values=one), STARTS),
        f"{SECRETS} replaced": _many(lambda: secrets_put(actor=OPERATOR, holder=many, values=values), STARTS),
        "1 used for a start, with its audit": _many(lambda: secrets_use(actor=OPERATOR, holders=[few]), STARTS),
        f"{SECRETS} used for a start": _many(lambda: secrets_use(actor=OPERATOR, holders=[many]), STARTS),
    }


def _many(do: Callable[[], object], count: int) -> tuple[int, Callable[[], object]]:
    def run() -> None:
        for _ in range(count):
            do()

    return count, run


if __name__ == "__main__":
    main()
