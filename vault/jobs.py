"""What a rotation leaves to be done in the background."""

from __future__ import annotations

from celery import shared_task

from events.actors import SYSTEM
from vault.rotation import vault_reencrypt


@shared_task(name="vault.jobs.reencrypt", ignore_result=True)
def reencrypt() -> None:
    vault_reencrypt(actor=SYSTEM)
