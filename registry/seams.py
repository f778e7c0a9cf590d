"""What publishing asks of proofs, ownership and moderation."""

from __future__ import annotations

from registry.moderation.holding import hold_reason
from registry.ownership import check_packages

__all__ = ["check_packages", "hold_reason"]
