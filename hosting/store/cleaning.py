"""Deleting what nobody needs any more: old calls and counts, what the store holds in vain, dead builders' folders."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from hosting import environments
from hosting.credentials.eliciting import elicitations_purge
from hosting.store import unused
from hosting.usage import records as usage
from hosting.usage import tallies


def purge() -> None:
    usage.calls_purge()
    tallies.tallies_purge()
    tallies.calls_join_days()
    elicitations_purge()
    store = Path(settings.SLIPWAY_STORE)
    unused.purge(store)
    if store.exists():
        environments.sweep(store)
