from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError

from common.commands import OperatorCommand
from common.errors import NotFound


class Raising(OperatorCommand):
    error: Exception

    def handle(self, *args: Any, **options: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotFound("user_unknown", "There is no user."), "There is no user."),
        (OperationalError("connection is bad: secret detail"), "Is Slipway running"),
    ],
)
def test_errors_become_sentences(error: Exception, words: str) -> None:
    command = Raising()
    command.error = error
    with pytest.raises(CommandError, match=words) as caught:
        command.execute(force_color=False, no_color=True, skip_checks=True)
    assert "secret detail" not in str(caught.value)


def test_a_command_leaves_logging_as_it_was() -> None:
    news = logging.getLogger("django_structlog")
    before = news.level
    command = Raising()
    command.error = NotFound("user_unknown", "There is no user.")
    with pytest.raises(CommandError):
        command.execute(force_color=False, no_color=True, skip_checks=True)
    assert news.level == before
