from __future__ import annotations

import os
import sys
from typing import Any

from celery.signals import worker_ready
from django.core.management.base import BaseCommand

from common.garbage import settle
from config.celery import app
from config.launch.ready import announce_ready

NICE = 5  # somebody waits for what the web processes and runners do; builds and jobs take what they leave


def _ready(**_: Any) -> None:
    settle()
    announce_ready()


class Command(BaseCommand):
    help = "Run one Celery worker, which does the jobs: builds, inspections, reconciling."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(NICE)
        worker_ready.connect(_ready, weak=False)
        # Gossip and mingle let workers ask about each other, heartbeats tell monitors of them every two seconds. Ours
        # have nothing to say, and start faster without.
        argv = ["worker", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
        sys.exit(app.worker_main(argv))
