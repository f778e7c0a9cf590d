"""The endpoint's only crossing to the ORM, called in threads by `directory`, and the site's own token check."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from common.errors import AppError, Unavailable
from hosting import routing
from hosting.access import anonymous
from hosting.fleet import placing
from hosting.models import DeploymentVersion
from hosting.tools import records as tools
from hosting.usage import records as usage
from mcp_endpoint.admission.auth import InvalidTokenError, TokenClaims, Verify
from mcp_endpoint.directory import REVOCATION_SECONDS, THREADS
from oauth import claims, keys, selectors

if TYPE_CHECKING:
    from hosting.routing import Route
    from hosting.runner.placement import Placement
    from hosting.usage.calls import CallRow
    from mcp_endpoint.directory import Key


KEPT_SECONDS: Final = 2 * REVOCATION_SECONDS  # so that what is asked again and again keeps its connection
_POOL_LEFT: Final = 8  # connections at least for everybody else, or these threads keep none


class _Kept(threading.local):
    used_at = float("-inf")  # time.monotonic()


_kept = _Kept()


@contextmanager
def connection() -> Iterator[None]:
    """The database in one of the few threads of `directory`, which keeps its connection while it is much used.

    To take one from the pool and give it back costs more than most of what is asked here. One that was not used for a
    moment is given back and another one taken, which the pool looks at first.
    """
    if time.monotonic() - _kept.used_at > KEPT_SECONDS:
        close_old_connections()
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        _kept.used_at = float("-inf")
        close_old_connections()
        raise Unavailable("database", "The site's database does not answer. Try again shortly.") from error
    except BaseException:
        _let_go()
        raise
    else:
        _let_go()


def _let_go() -> None:
    if _may_keep():
        _kept.used_at = time.monotonic()
    else:
        close_old_connections()


@cache
def _may_keep() -> bool:
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    return bool(pool) and pool["max_size"] >= _POOL_LEFT + THREADS


class OrmBackend:
    """Implements directory.Backend."""

    def route_for(self, owner: str, name: str) -> Route | None:
        with connection():
            return routing.route_for(owner, name)

    def placement_ensure(self, deployment_id: str, exclude_address: str) -> Route:
        with connection():
            return placing.placement_ensure(deployment_id, exclude_runner=exclude_address or None)

    def placement_for(self, deployment_id: str) -> tuple[str, Placement]:
        with connection():
            return routing.placement_for(deployment_id)

    def why_not(self, route: Route) -> AppError:
        return routing.not_callable(route)

    def tools_of(self, version_id: str) -> bytes | None:
        """A raw JSON array, None while the version was never asked for its tools."""
        with connection():
            found = DeploymentVersion.objects.filter(pk=version_id).values_list("tools", flat=True).first()
        return None if found is None else msgspec.json.encode(found)

    def revoked_jtis(self) -> frozenset[str]:
        with connection():
            keys.keys_refresh()
            return selectors.revoked_jtis()

    def anonymous_keys(self) -> frozenset[Key]:
        with connection():
            return anonymous.anonymous_keys()

    def calls_write(self, rows: list[CallRow]) -> None:
        with connection():
            usage.calls_write(rows)

    def tools_seen(self, deployment_id: str, definitions: list[dict[str, Any]]) -> None:
        with connection():
            tools.tools_seen(UUID(deployment_id), definitions, is_complete=False)


def verifier() -> Verify:
    issuer = settings.SLIPWAY_URL

    def verify(token: str, audience: str, now: float) -> TokenClaims:
        try:
            return claims.verify(token, key=keys.known_keys(), issuer=issuer, audience=audience, now=now)
        except claims.InvalidTokenError as error:
            raise InvalidTokenError(error.reason) from None

    return verify
