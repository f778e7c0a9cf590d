"""Runners announcing themselves."""

from __future__ import annotations

import re

from django.db import transaction

from common import clock
from common.errors import BadInput
from events.actors import Actor
from events.audit import record
from hosting.models import Runner

_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")  # ids of exchanges are "<runner>.<boot>.<random>", so no dots
MAX_NAME = 50


def runner_register(*, actor: Actor, name: str, address: str) -> Runner:
    """Makes the runner known, or known again at this address. It is taken for alive from now on."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise BadInput("runner_name_invalid", "A runner's name has lower-case letters, digits and single hyphens.")
    if not address.startswith(("unix:/", "tls:")):
        raise BadInput("runner_address_invalid", "A runner listens at unix:/PATH or tls:HOST:PORT.")
    with transaction.atomic():
        runner, _ = Runner.objects.update_or_create(
            name=name,
            defaults={
                "address": address,
                "state": Runner.Status.LIVE,
                "draining": False,
                "last_seen_at": clock.now(),
            },
        )
        record(actor, "runner:register", "runner", runner.pk, name=name, address=address)
    return runner
