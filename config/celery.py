"""The Celery application. Jobs live in `<app>/jobs.py` as @shared_task, so no app imports this module."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

from common.broker import transport_use
from config import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())

transport_use()
app = Celery("slipway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
