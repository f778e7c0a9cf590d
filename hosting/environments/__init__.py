"""Locked, content-addressed environments: one for each exact package set, made once, read-only, found by digest.

Knows nothing of Django. Everything blocks: a Celery job calls it. An environment is built aside, marked as whole,
made read-only and renamed to its place, so that one is there entirely or not at all, also after a kill -9.
"""

from __future__ import annotations

from hosting.environments.builds import (
    Built,
    build,
    description,
    find,
    install,
    is_there,
    kept,
    locked,
    older,
    released,
    remove,
    sweep,
)
from hosting.kinds import BuildFailed
from hosting.kinds.locked import BuildChoices, Locked, Progress

__all__ = [
    "BuildChoices",
    "BuildFailed",
    "Built",
    "Locked",
    "Progress",
    "build",
    "description",
    "find",
    "install",
    "is_there",
    "kept",
    "locked",
    "older",
    "released",
    "remove",
    "sweep",
]
