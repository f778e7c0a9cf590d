"""A sealed secret opens where it was put, and nowhere else."""

from __future__ import annotations

import base64
import dataclasses
import os
from pathlib import Path

import pytest

from common.errors import Conflict
from vault import envelope
from vault.envelope import BrokenError, Envelope, Place
from vault.keys import FILE, FileKeys, FixedKeys, KeyProvider, new_id, to_file

PLACE = Place("personal", "user-1", "deployment-1", "env:API_KEY", 3)
VALUE = "hunter2-hünter2\n"


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    key_id = new_id()
    (tmp_path / FILE).write_bytes(to_file(key_id, {key_id: os.urandom(32)}))
    return FileKeys(tmp_path / FILE)


def test_what_was_sealed_opens_and_looks_different_each_time(keys: FileKeys) -> None:
    one, other = envelope.seal(keys, PLACE, VALUE), envelope.seal(keys, PLACE, VALUE)
    assert envelope.unseal(keys, PLACE, one) == envelope.unseal(keys, PLACE, other) == VALUE
    assert one.body != other.body and one.wrapped != other.wrapped
    assert b"hunter2" not in one.body + one.wrapped


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "organization"},
        {"owner_id": "user-2"},
        {"deployment_id": "deployment-2"},
        {"name": "env:OTHER"},
        {"version": 2},
    ],
)
def test_it_opens_in_no_other_place(keys: FileKeys, change: dict[str, object]) -> None:
    sealed = envelope.seal(keys, PLACE, VALUE)
    with pytest.raises(BrokenError):
        envelope.unseal(keys, dataclasses.replace(PLACE, **change), sealed)  # type: ignore[arg-type]
    with pytest.raises(BrokenError):
        envelope.rewrap(keys, dataclasses.replace(PLACE, **change), sealed)  # type: ignore[arg-type]


def test_altered_and_mixed_parts_do_not_open(keys: FileKeys) -> None:
    one, other = envelope.seal(keys, PLACE, VALUE), envelope.seal(keys, PLACE, "another")
    flipped = one.body[:-1] + bytes([one.body[-1] ^ 1])
    for broken in (
        Envelope(one.key_id, one.wrapped, other.body),
        Envelope(one.key_id, other.wrapped, one.body),
        Envelope(one.key_id, one.wrapped, flipped),
        Envelope(one.key_id, one.wrapped, b"\x02" + one.body[1:]),
        Envelope(one.key_id, one.wrapped, b""),
        Envelope(one.key_id, b"", one.body),
        Envelope("gone", one.wrapped, one.body),
    ):
        with pytest.raises(BrokenError):
            envelope.unseal(keys, PLACE, broken)


def test_a_new_key_counts_at_once_and_old_ones_still_open(keys: FileKeys, tmp_path: Path) -> None:
    other_process: KeyProvider = FileKeys(tmp_path / FILE)
    before = envelope.seal(keys, PLACE, VALUE)
    assert envelope.unseal(other_process, PLACE, before) == VALUE
    new = keys.add()
    assert other_process.current() == new != before.key_id
    after = envelope.rewrap(other_process, PLACE, before)
    assert (after.key_id, after.body) == (new, before.body)
    assert keys.forget(frozenset({before.key_id})) == []
    assert envelope.unseal(other_process, PLACE, before) == envelope.unseal(keys, PLACE, after) == VALUE
    assert keys.forget(frozenset()) == [before.key_id]
    assert envelope.unseal(other_process, PLACE, after) == VALUE
    with pytest.raises(BrokenError):
        envelope.unseal(other_process, PLACE, before)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_keys_from_the_environment(keys: FileKeys) -> None:
    one, two = (base64.b64encode(bytes([n] * 32)).decode() for n in (1, 2))
    old = FixedKeys(f"a:{one}")
    sealed = envelope.seal(old, PLACE, VALUE)
    both = FixedKeys(f"b:{two}, a:{one}")
    assert both.current() == "b" and envelope.unseal(both, PLACE, sealed) == VALUE
    assert envelope.rewrap(both, PLACE, sealed).key_id == "b"
    with pytest.raises(BrokenError):
        envelope.unseal(FixedKeys(f"a:{two}"), PLACE, sealed)
    with pytest.raises(Conflict, match="SLIPWAY_VAULT_KEYS"):
        both.add()


@pytest.mark.parametrize("text", ["a", "a:", ":AAAA", "a:AAAA", "a:!!", f"a:{'A' * 43}=,a:{'A' * 43}="])
def test_wrong_keys_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        FixedKeys(text)
