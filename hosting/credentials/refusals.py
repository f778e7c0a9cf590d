"""What callers are told where their user brought nothing. Pure."""

from __future__ import annotations

from typing import Final

DECLINED: Final = "The user declined to give this server the credentials that it needs, so the call was not made."
DISMISSED: Final = "The user neither gave nor refused the credentials that this server needs, so the call was not made."
LATE: Final = "The user did not give this server the credentials that it needs in time, so the call was not made."
OF_ACTIONS: Final = {"decline": DECLINED, "cancel": DISMISSED}  # of an ElicitResult
