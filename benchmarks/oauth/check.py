"""One request's token at the endpoint: remembered, seen for the first time, and what the signature alone costs.

`python -m benchmarks.oauth.check`
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from joserfc import jws
from joserfc.jwk import ECKey

from mcp_endpoint.admission.auth import Authenticator, InvalidTokenError, Principal, TokenClaims
from oauth import claims

ISSUER = "https://slipway.example"
RESOURCE = f"{ISSUER}/mcp/alice/time"
TOKENS = 2000
ROUNDS = 7


def main() -> None:
    key = ECKey.generate_key("P-256", {"kid": "one"})
    now = time.time()
    tokens = [_token(key, number, now).encode() for number in range(TOKENS)]
    revoked = frozenset(str(-number) for number in range(1, 1001))

    def verify(token: str, audience: str, at: float) -> TokenClaims:
        try:
            return claims.verify(token, key={"one": key}, issuer=ISSUER, audience=audience, now=at)
        except claims.InvalidTokenError as error:
            raise InvalidTokenError(error.reason) from None

    def fresh() -> Authenticator:
        return Authenticator(verify, revoked.__contains__)

    warm = fresh()
    headers = [b"Bearer " + token for token in tokens]
    for header in headers:
        assert isinstance(warm.authenticate(header, RESOURCE, now), Principal)
    found = {
        "remembered": _each(lambda: [warm.authenticate(header, RESOURCE, now) for header in headers]),
        "first time": _each(lambda: [_first(fresh(), header, now) for header in headers]),
        "signature alone": _each(
            lambda: [jws.deserialize_compact(token, key, algorithms=["ES256"]) for token in tokens]
        ),
    }
    base = found["signature alone"]
    for name, seconds in found.items():
        print(f"{name:16} {seconds * 1e6:8.2f} us  {seconds / base:6.3f} of a signature check")


def _first(authenticator: Authenticator, header: bytes, now: float) -> object:
    return authenticator.authenticate(header, RESOURCE, now)


def _each(do: Callable[[], object]) -> float:
    """Seconds of processor time for one of TOKENS, median of rounds: others on the machine do not count."""
    taken = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        do()
        taken.append((time.thread_time() - began) / TOKENS)
    return statistics.median(taken)


def _token(key: ECKey, number: int, now: float) -> str:
    at = int(now)
    scope = frozenset({"mcp:read", "mcp:call"})
    return claims.mint(claims.Claims(str(number), "robo", RESOURCE, scope, str(number), at, at + 600, ISSUER), key=key)


if __name__ == "__main__":
    main()
