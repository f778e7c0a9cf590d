"""A Celery application with one job, and nothing else."""

from __future__ import annotations

import os
import time

from celery import Celery

_URL = os.environ.get("BENCHMARK_BROKER", "")
app = Celery("bare", broker=_URL, backend=_URL)


@app.task
def stamp(seconds: float) -> tuple[float, float]:
    began = time.time()
    time.sleep(seconds)
    return began, time.time()
