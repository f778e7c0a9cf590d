"""Signatures count once: the row of a fingerprint decides, however many processes are shown the same copy at once."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from common import clock
from registry.models import UsedSignature
from registry.proofs.errors import ProofRefused
from registry.proofs.signed_times import WINDOW

_KEPT = 4 * WINDOW  # a timestamp is good for twice the window; the rest is for clocks that are set back
_PURGED_AT_ONCE = 100


def use(fingerprint: str) -> None:
    """Raises ProofRefused when it was used before. The row stays, whatever becomes of the exchange."""
    now = clock.now()
    try:
        with transaction.atomic():
            UsedSignature.objects.create(fingerprint=fingerprint, expires_at=now + _KEPT)
    except IntegrityError:
        raise ProofRefused("This signature was used before. Sign the current time anew.") from None
    with transaction.atomic():
        # Skipped where another process is at it: two that delete the same rows in another order would block each other.
        expired = UsedSignature.objects.select_for_update(skip_locked=True).filter(expires_at__lt=now)
        UsedSignature.objects.filter(pk__in=[each.pk for each in expired[:_PURGED_AT_ONCE]]).delete()
