"""Exact values in the forms in which servers say them again: as they are, percent-encoded, in base64. Pure.

Not what a server makes of a value otherwise (a digest, a part of it, a value and more in one base64): whoever runs code
with a secret can always say it in a way that nobody recognises. This is against accidents.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote


def forms_of(value: str) -> set[str]:
    octets = value.encode("utf-8", "surrogatepass")
    plain, url_safe = base64.b64encode(octets), base64.urlsafe_b64encode(octets)
    return {value, quote(octets, safe=""), *(text.decode().rstrip("=") for text in (plain, url_safe))}


def spellings(text: str) -> set[str]:
    """Between the quotes of a JSON string, as encoders write it; some write "/" as "\\/"."""
    plain, ascii_only = (json.dumps(text, ensure_ascii=flag)[1:-1] for flag in (False, True))
    return {plain, ascii_only, plain.replace("/", "\\/"), ascii_only.replace("/", "\\/")}
