"""The endpoint's only crossing to the ORM, called in threads by `directory`, and the site's own token check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from common.errors import AppError, Unavailable
from hosting import anonymous, placing, routing, tools, usage
from hosting.models import DeploymentVersion
from mcp_endpoint.auth import InvalidTokenError, TokenClaims, Verify
from oauth import claims, keys, selectors

if TYPE_CHECKING:
    from hosting.calls import CallRow
    from hosting.routing import Route
    from hosting.runner.control import Placement
    from mcp_endpoint.directory import Key


@contextmanager
def connection() -> Iterator[None]:
    """Django closes broken and old connections around requests; these threads see none."""
    close_old_connections()
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        raise Unavailable("database", "The site's database does not answer. Try again shortly.") from error
    finally:
        close_old_connections()


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
            return frozenset(selectors.revoked_jtis())

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
        except claims.InvalidToken as error:
            raise InvalidTokenError(error.reason) from None

    return verify
