"""GitHub's device flow for a page (RFC 8628): a code to enter at GitHub, then a question whether that was done.

The site has no secret of an OAuth app and needs none: it holds the device code in the person's session meanwhile.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext

from common.outbound import OutboundError, site_door
from registry.proofs.errors import ProofRefused, ProofUnavailable

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "read:org read:user"


class Device(msgspec.Struct):
    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int = 900


class _Answer(msgspec.Struct):
    access_token: str = ""
    error: str = ""


def is_on() -> bool:
    return bool(settings.REGISTRY_GITHUB_CLIENT_ID)


def begin() -> Device:
    """Blocks. Raises ProofUnavailable."""
    asked = {"client_id": settings.REGISTRY_GITHUB_CLIENT_ID, "scope": SCOPE}
    found: Device = _post("/login/device/code", asked, Device)
    return found


def token(device_code: str) -> str:
    """What GitHub gave once the code was entered; "" while it was not. Raises ProofRefused."""
    asked = {"client_id": settings.REGISTRY_GITHUB_CLIENT_ID, "device_code": device_code, "grant_type": GRANT}
    found: _Answer = _post("/login/oauth/access_token", asked, _Answer)
    if found.access_token:
        return found.access_token
    if found.error in ("authorization_pending", "slow_down"):
        return ""
    if found.error == "access_denied":
        raise ProofRefused(gettext("The request was refused at GitHub. Begin again if that was a mistake."))
    raise ProofRefused(gettext("The code has expired. Begin again."))


def _post(path: str, body: dict[str, str], kind: Any) -> Any:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    try:
        answer = site_door().fetch_blocking(
            f"{settings.REGISTRY_GITHUB_URL}{path}",
            method="POST",
            headers=headers,
            content=msgspec.json.encode(body),
            max_bytes=16_384,
            redirects=0,
        )
        return answer.json(kind)
    except OutboundError as error:
        raise ProofUnavailable(
            gettext("GitHub could not be asked. %(message)s") % {"message": error.message}
        ) from error
