from __future__ import annotations

import threading
from typing import Any

from celery.signals import beat_init
from django.conf import settings
from django.core.management.base import BaseCommand

from config.celery import app
from config.launch.home import folder_claim
from config.launch.ready import announce_ready
from hosting.fleet.watch import watch


def _started(**_: Any) -> None:
    threading.Thread(target=watch, name="runner-watch", daemon=True).start()
    announce_ready()


class Command(BaseCommand):
    help = "Run Celery's clock, which queues the regular jobs, and watch the runners. One for the whole installation."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        folder_claim(settings.SLIPWAY_HOME / "beat")
        beat_init.connect(_started, weak=False)
        app.start(["beat", "--pidfile=", "--loglevel", "INFO"])
