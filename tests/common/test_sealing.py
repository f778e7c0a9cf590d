"""Sealing with the site's key; and that what earlier releases stored still opens."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.sealing import Box, BrokenSealError, key_for, seal, site_key, unseal
from mcp_endpoint.sealed.sealing import Sealer
from oauth import keys
from oauth.outbound import identity, vault

MASTER = bytes(range(32))
# Written by the release before this module, under MASTER.
ACCOUNT = "01a7b16e456bcabab7daa28199c59c206e70e710b29ccc8b179b94a512caddc3285780cf757e"
SESSION = "kdcpxxT7rsFtQF0F3LMA1j7Oxc6VQdkGtwqNFPFY-sGE"
CLIENT_KEY = "XBYt0V8avQGxwlmB5jfFYh6rxUCzbZZoChcFINBaIfY"
KID = "6V8RUP5tlRkk73ysnocy2XBnw7DYXVgu8baKVchm7fI"
SIGNING_KEY = (
    "ZLuhsE5mKaiYPo8/hZmEvw1/QJ09XMkNUgDkvR+vp4zfIwoPlD2OVFyRPvVdSnAbizL+f7Pg0ijQvoReVmsrankfANBhL/TPkJwNqY/wwVbqJiSRQJ"
    "LhfGGJlmgzjV6m/g0zNPK8ffqjIAtcRw345qC1CtUSinsMLL3OhONFz8WfyxmGyVHt0oNr8ddZbWMJLgpyA0wVjf3rymlmjHCPfPwtW/Rt6CA9IiAx"
    "9aes0sIrfURzmt3WVB1/LPz0aUaD5j92MWCyT54XeHBspqaTm45drRgkv5xmHnKKQlxbxMfViv1TbVcmKn8ns/OdV2qbsqvsW8WUV9MjciC8p/2RNd"
    "gafaPxdKu6q9HCr7A="
)


@pytest.fixture
def master(settings: Any, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "sealing_key").write_text(base64.b64encode(MASTER).decode())
    settings.SLIPWAY_SECRETS = tmp_path
    yield


def test_a_seal_opens_for_its_purpose_and_place_only(master: None) -> None:
    closed = seal(b"one", b"hunter2", b"alice")
    assert b"hunter2" not in closed and closed != seal(b"one", b"hunter2", b"alice")
    assert unseal(b"one", memoryview(closed), b"alice") == b"hunter2"
    for purpose, value, bound_to in (
        (b"two", closed, b"alice"),
        (b"one", closed, b"bob"),
        (b"one", closed[:-1] + bytes([closed[-1] ^ 1]), b"alice"),
        (b"one", b"\x02" + closed[1:], b"alice"),
        (b"one", closed[:9], b"alice"),
        (b"one", b"", b"alice"),
    ):
        with pytest.raises(BrokenSealError):
            unseal(purpose, value, bound_to)


def test_another_sealing_key_opens_nothing(master: None) -> None:
    closed = seal(b"one", b"hunter2", b"")
    with pytest.raises(BrokenSealError):
        Box(key_for(bytes(32), b"one")).unseal(closed[1:], b"")
    assert Box(site_key(b"one")).unseal(closed[1:], b"") == b"hunter2"


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 16"):
        key_for(bytes(16), b"one")


def test_what_was_stored_before_still_opens(master: None) -> None:
    assert vault.unseal(bytes.fromhex(ACCOUNT), bound_to=["x", "y"]) == {"a": "b"}
    assert Sealer(MASTER, "session").open(SESSION, b"bound") == b"plain"
    assert identity.client_key().kid == CLIENT_KEY
    assert keys._opened(KID, base64.b64decode(SIGNING_KEY)).thumbprint() == KID
