"""Celery: a task may run again when its worker died, so every job is idempotent."""

from __future__ import annotations

from config.broker import celery_broker_url
from config.settings.site import REDIS_URL, SLIPWAY_HOME, WORKER_THREADS

CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,  # longer than the longest job, a build of an environment
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,  # with kombu's defaults a dead worker's tasks wait for another 100 s
    "global_keyprefix": "slipway:celery:",
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = WORKER_THREADS
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE = {
    "reconcile": {"task": "hosting.jobs.reconcile", "schedule": 5.0, "options": {"expires": 5}},
    "sweep-tasks": {"task": "hosting.jobs.sweep_tasks", "schedule": 5.0, "options": {"expires": 5}},
    "collect-egress": {"task": "hosting.jobs.collect_egress", "schedule": 10.0, "options": {"expires": 10}},
    "tend-accounts": {"task": "hosting.jobs.tend_accounts", "schedule": 15.0, "options": {"expires": 15}},
    "follow-upstreams": {"task": "registry.jobs.follow_upstreams", "schedule": 30.0, "options": {"expires": 30}},
    "fetch-readmes": {"task": "registry.jobs.fetch_readmes", "schedule": 60.0, "options": {"expires": 60}},
    "forget-images": {"task": "registry.jobs.forget_images", "schedule": 3600.0, "options": {"expires": 3600}},
    "count-words": {"task": "registry.jobs.count_words", "schedule": 600.0, "options": {"expires": 600}},
    "purge": {"task": "hosting.jobs.purge", "schedule": 600.0, "options": {"expires": 600}},
    "purge-oauth": {"task": "oauth.jobs.purge", "schedule": 600.0, "options": {"expires": 600}},
    "reencrypt-vault": {"task": "vault.jobs.reencrypt", "schedule": 600.0, "options": {"expires": 600}},
    "turn-keys": {"task": "oauth.jobs.turn_keys", "schedule": 300.0, "options": {"expires": 300}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(SLIPWAY_HOME / "beat" / "schedule")
