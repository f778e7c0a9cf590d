"""Structured logs: one line an event, JSON in files and for machines, coloured words on a terminal.

Secrets never reach a line: values of telling keys are masked, and so is what looks like a bearer token or a one-time
link anywhere in a text, because paths and messages of other libraries are logged too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

MASK = "[hidden]"
_SECRET_KEY = re.compile(
    r"(?:^|_|-)(?:password|passwd|secret|token|authorization|cookie|api_?key|credential|verifier)s?$", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"(?P<keep>/join/|\bBearer\s+|[?&](?:code|token|key|state)=|\b\w+://[^\s/:@]*:)(?P<hide>[^\s\"'&#@/<>]{6,})",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")


def mask_text(value: str) -> str:
    return _JWT.sub(MASK, _SECRET_TEXT.sub(lambda found: found["keep"] + MASK, value))


def _mask(key: str, value: object) -> object:
    if isinstance(value, str | bytes) and _SECRET_KEY.search(key):
        return MASK
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {inner: _mask(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(key, item) for item in value]
    return value


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor."""
    for key, value in event.items():
        event[key] = _mask(key, value)
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. `form` is json, console or auto: console on a terminal only."""
    is_console = form == "console" or (form == "auto" and sys.stderr.isatty())
    render: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    render += [hide_secrets, structlog.dev.ConsoleRenderer() if is_console else structlog.processors.JSONRenderer()]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": render,
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # django-structlog already writes one line for each finished request.
            "django.request": {"level": "ERROR"},
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.access": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            # What they write at DEBUG holds codes and tokens.
            "oauthlib": {"level": "INFO"},
            "oauth2_provider": {"level": "INFO"},
        },
    }


def structlog_configure() -> None:
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
