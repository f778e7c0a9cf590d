"""What has expired, and what nobody uses."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from oauth2_provider.models import clear_expired

from common import clock
from oauth.clients.services import clients_purge
from oauth.models import ConnectionAttempt, Grant, RevokedToken, UsedAssertion

# A web process may be late to read the list, and clocks differ.
_KEPT: Final = timedelta(minutes=5)


def purge() -> None:
    now = clock.now()
    RevokedToken.objects.filter(expires_at__lt=now - _KEPT).delete()
    UsedAssertion.objects.filter(expires_at__lt=now - _KEPT).delete()
    ConnectionAttempt.objects.filter(expires_at__lt=now).delete()
    Grant.objects.filter(expires__lt=now).delete()
    clear_expired()
    clients_purge()
