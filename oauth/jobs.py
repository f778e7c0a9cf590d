"""What has to be done now and then: keys turn, and what has expired goes."""

from __future__ import annotations

from celery import shared_task

from events.actors import SYSTEM
from oauth.cleaning import purge as purge_all
from oauth.rotation import signing_keys_turn


@shared_task(name="oauth.jobs.purge", ignore_result=True)
def purge() -> None:
    purge_all()


@shared_task(name="oauth.jobs.turn_keys", ignore_result=True)
def turn_keys() -> None:
    signing_keys_turn(actor=SYSTEM)
