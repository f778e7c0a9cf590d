"""Why something could not be fetched. Messages are for people who gave the URL; none tells of the inner network more
than that it is not for them."""

from __future__ import annotations

from common.errors import AppError


class OutboundError(AppError):
    """The common kind: whatever was to be fetched is not there."""

    status = 502


class UrlRefused(OutboundError):
    """The URL, or one that it redirects to, is none that this site fetches."""

    status = 400


class HostUnreachable(OutboundError):
    """Nobody there, no valid certificate, or no answer in time. Trying again may help."""


class TooManyRedirects(OutboundError):
    pass


class AnswerTooLarge(OutboundError):
    pass


class AnswerInvalid(OutboundError):
    """It answered, but not with what was asked for."""
