"""Who a request acts for: the one place where the API meets the proofs."""

from __future__ import annotations

from events.actors import ANONYMOUS, person
from registry.api.problems import Detail, Problem
from registry.proofs import bearer
from registry.proofs.errors import ProofRefused
from registry.publishing import Publisher


def publisher_of(headers: dict[bytes, bytes]) -> Publisher:
    """Raises Problem 401. The caller has seen that there is a header (`writes.check_header`)."""
    scheme, _, value = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise Problem(401, "Invalid Authorization header format. Expected 'Bearer <token>'", headers=_CHALLENGE)
    try:
        found = bearer.identify(value.strip())
    except ProofRefused as error:
        causes = [Detail(error.message)]
        raise Problem(401, "Invalid or expired Registry JWT token", causes, headers=_CHALLENGE) from error
    actor = person(found.user_id) if found.user_id is not None else ANONYMOUS
    return Publisher(actor, found.verified_by, found.permissions)


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="registry"'}
