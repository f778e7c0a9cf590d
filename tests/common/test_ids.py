from __future__ import annotations

import base64
import time
import uuid

import pytest

from common import ids


def test_ids_are_version_7_and_sort_by_time() -> None:
    first = ids.new_uuid()
    time.sleep(0.002)  # two different milliseconds, which the order is made of
    second = ids.new_uuid()
    assert first < second
    assert (first.version, first.variant) == (7, uuid.RFC_4122)
    assert abs((first.int >> 80) / 1000 - time.time()) < 5


def test_ids_are_never_equal() -> None:
    assert len({ids.new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(("bits", "octets"), [(128, 16), (129, 17), (256, 32)])
def test_tokens_have_the_bits_that_were_asked_for(bits: int, octets: int) -> None:
    token = ids.random_token(bits)
    assert len(base64.urlsafe_b64decode(token + "==")) == octets
