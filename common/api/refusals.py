"""Refusals of a request as HTTP has it, before anybody has read what it says."""

from __future__ import annotations

from rest_framework.exceptions import APIException


class TooLarge(APIException):
    """`most` is in bytes."""

    status_code = 413
    default_code = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"The body is larger than the {most // 1024} KiB that are taken here.")


class LengthRequired(APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "Send the length of the body (Content-Length) with it."


class Unreadable(APIException):
    status_code = 400
    default_code = "unreadable"
    default_detail = "The request could not be read."
