"""Who a request acts for: the one place where the API meets the proofs."""

from __future__ import annotations

from events.actors import Actor, person
from registry.api.problems import Detail, Problem
from registry.proofs import bearer
from registry.proofs.errors import ProofRefused
from registry.proofs.identity import Identity
from registry.publishing import Publisher

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="registry"'}


def publisher_of(headers: dict[bytes, bytes]) -> Publisher:
    """Reads the database. Raises Problem 401. The caller has seen that there is a header (`writes.check_header`)."""
    scheme, _, value = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        words = "Invalid Authorization header format. Expected 'Bearer <token>'"
        raise Problem(401, words, headers=_CHALLENGE)
    try:
        found = bearer.identify(value.strip())
    except ProofRefused as error:
        words = "Invalid or expired Registry JWT token"
        raise Problem(401, words, [Detail(error.message)], headers=_CHALLENGE) from error
    return publisher(found)


def publisher(identity: Identity) -> Publisher:
    """The audit names the person where the site knows one, and the proof otherwise."""
    actor = person(identity.user_id) if identity.user_id else Actor(identity.verified_by[:100])
    return Publisher(actor, identity.verified_by, identity.permissions)
