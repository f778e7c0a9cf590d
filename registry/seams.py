"""What publishing asks of proofs, ownership and moderation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def hold_reason(name: str) -> str:
    """Why a name that is new here may not be published yet, with the address of the page that decides; "" to go on."""
    return ""


def check_packages(document: Mapping[str, Any]) -> None:
    """Asks the packages' indexes whether the packages say that they are this server's. Raises AppError."""
