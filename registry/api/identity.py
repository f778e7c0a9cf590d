"""Who a request acts for: the one place where the API meets the proofs."""

from __future__ import annotations

from registry.api.problems import Problem
from registry.publishing import Publisher


def publisher_of(headers: dict[bytes, bytes]) -> Publisher:
    """Raises Problem 401. The caller has seen that there is a header (`writes.check_header`)."""
    scheme, _, value = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise Problem(401, "Invalid Authorization header format. Expected 'Bearer <token>'", headers=_CHALLENGE)
    raise Problem(401, "Invalid or expired Registry JWT token", headers=_CHALLENGE)


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="registry"'}
