"""What publishing asks of proofs, ownership and moderation."""

from __future__ import annotations

from registry.ownership import check_packages

__all__ = ["check_packages", "hold_reason"]


def hold_reason(name: str) -> str:
    """Why a name that is new here may not be published yet, with the address of the page that decides; "" to go on."""
    return ""
