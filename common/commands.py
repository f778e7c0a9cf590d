"""The base of the commands for operators: errors are sentences on stderr, never stack traces."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from common.errors import AppError


class OperatorCommand(BaseCommand):
    """Its `handle` may let an AppError through. stdout is for what a script reads, stderr for people."""

    requires_system_checks = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        news = logging.getLogger("django_structlog")
        before = news.level
        news.setLevel(logging.WARNING)  # the site's news is not this person's
        try:
            return super().execute(*args, **options)
        except AppError as error:
            raise CommandError(error.message) from error
        except OperationalError as error:
            raise CommandError("The database doesn't answer. Is Slipway running (make up)?") from error
        except ProgrammingError as error:
            raise CommandError(f"The database isn't up to date. Run ./manage.py migrate. ({error})") from error
        finally:
            news.setLevel(before)  # a command may be called from within a process that goes on
