"""Bodies of requests: bounded, and without what no database can keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from common.api.refusals import LengthRequired, TooLarge


class PlainJSONParser(JSONParser):
    """JSON as REST framework reads it; refused is what is nested too deeply, NUL, and half of a surrogate pair."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            found: dict[str, Any] = super().parse(stream, media_type, parser_context)
            check_text(found)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        return found


def check_text(found: Any) -> None:
    """Raises ParseError for text that can't be written down."""
    text = json.dumps(found, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParseError("There is half of a surrogate pair in a text, which stands for no character.") from None
    if "\\u0000" in text.replace("\\\\", ""):
        raise ParseError("There is a NUL character in a text.")


def check_length(request: Request, most: int) -> None:
    """Before anything is read. Raises TooLarge, or LengthRequired for a body that does not say how long it is."""
    stated = request.META.get("CONTENT_LENGTH")
    if not stated and "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired
    if stated and (not stated.isascii() or not stated.isdigit() or int(stated) > most):
        raise TooLarge(most)
