"""The program that a runner is, as this site starts it: nothing of Django, so what it is to know is told to it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from hosting.fleet.register import runner_options


@dataclass(frozen=True)
class RunnerCommand:
    argv: list[str]  # to be executed in BASE_DIR, where its modules are
    environment: dict[str, str]  # added to what is there


def runner_command(
    name: str, address: str, drain_seconds: float, files: Mapping[str, str] | None = None
) -> RunnerCommand:
    """`files` are paths of its `certificate`, `key` and `authority`, for a tls: address."""
    home = settings.SLIPWAY_RUNNERS / name
    told = {
        "name": name,
        "listen": address,
        "home": str(home),
        "sandbox": settings.SLIPWAY_SANDBOX,
        "drain-seconds": str(drain_seconds),
        **runner_options(),
        **(files or {}),
    }
    argv = [sys.executable, "-m", "hosting.runner"]
    for option, value in told.items():
        argv += [f"--{option}", value]
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    return RunnerCommand(
        argv, {"SLIPWAY_BROKER": str(settings.CELERY_BROKER_URL), "SLIPWAY_BROKER_PREFIX": str(prefix)}
    )
