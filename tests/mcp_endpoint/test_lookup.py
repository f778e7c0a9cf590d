"""The crossing to the ORM: what threads read of a real database, and the site's own tokens."""

from __future__ import annotations

import json
import time

import pytest
from django.conf import settings

from accounts import services as accounts
from accounts.models import Name, User
from common.errors import NotFound, Unavailable
from events.actors import SYSTEM
from hosting.models import Deployment, DeploymentVersion, Environment, Runner
from mcp_endpoint import app
from mcp_endpoint.admission.auth import Authenticator, Principal
from mcp_endpoint.lookup import OrmBackend, verifier
from oauth import services as tokens

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return accounts.user_create(actor=SYSTEM, name="Alice")


@pytest.fixture
def deployment(user: User) -> Deployment:
    """Built and ready, not placed yet."""
    environment = Environment.objects.create(digest="d", kind="pypi", path="/nowhere")
    made = Deployment.objects.create(
        owner=Name.objects.get(user=user),
        name="Time",
        folded_name="time",
        reference="pypi:x",
        kind="pypi",
        state="ready",
    )
    made.current_version = DeploymentVersion.objects.create(
        deployment=made, number=1, environment=environment, argv=["/bin/server"]
    )
    made.save()
    return made


def test_route_is_found_by_folded_names(deployment: Deployment, user: User) -> None:
    route = OrmBackend().route_for("alice", "time")
    assert route is not None
    assert route.resource == f"{settings.SLIPWAY_URL}/mcp/alice/time"
    assert str(user.pk) in route.member_ids
    assert route.is_callable and route.runner_address == ""
    assert OrmBackend().route_for("alice", "no") is None


def test_placement_follows_the_living_runners(deployment: Deployment) -> None:
    backend = OrmBackend()
    with pytest.raises(Unavailable):
        backend.placement_ensure(str(deployment.pk), "")
    for name in ("r1", "r2"):
        Runner.objects.create(name=name, address=f"unix:/run/{name}.sock")
    route = backend.placement_ensure(str(deployment.pk), "")
    address, placement = backend.placement_for(str(deployment.pk))
    assert (address, placement.epoch) == (route.runner_address, route.epoch)
    assert placement.argv == ["/bin/server"]
    moved = backend.placement_ensure(str(deployment.pk), address)
    assert moved.runner_address != address and moved.epoch > route.epoch
    with pytest.raises(NotFound):
        backend.placement_for("00000000-0000-7000-8000-000000000000")


def test_tools_of_a_version_are_those_last_seen(deployment: Deployment) -> None:
    version = deployment.current_version
    assert version is not None
    assert OrmBackend().tools_of(str(version.pk)) is None
    version.tools = [{"name": "now", "inputSchema": {"type": "object"}}]
    version.save()
    assert json.loads(OrmBackend().tools_of(str(version.pk)) or b"") == version.tools


def test_issued_token_is_taken_until_it_is_revoked(deployment: Deployment, user: User) -> None:
    backend = OrmBackend()
    route = backend.route_for("alice", "time")
    assert route is not None
    row, value = tokens.endpoint_token_issue(
        actor=SYSTEM,
        user=user,
        deployment_id=deployment.pk,
        resource=route.resource,
        scopes=["mcp:read"],
        ttl_seconds=60,
    )
    authenticator = Authenticator(verifier(), lambda jti: jti in backend.revoked_jtis())
    header = f"Bearer {value}".encode()
    principal = authenticator.authenticate(header, route.resource, time.time())
    assert isinstance(principal, Principal)
    assert (principal.sub, principal.scopes) == (str(user.pk), {"mcp:read"})
    assert not isinstance(authenticator.authenticate(header, route.resource, time.time() + 61), Principal)
    assert isinstance(authenticator.authenticate(header, route.resource, time.time()), Principal)
    tokens.endpoint_token_revoke(actor=SYSTEM, token_id=row.pk)
    assert not isinstance(authenticator.authenticate(header, route.resource, time.time()), Principal)


async def test_directory_reads_through_threads(deployment: Deployment) -> None:
    running = app.build_from_settings()
    await app.start(running)
    try:
        await running.directory.revocations_known()
        route = await running.directory.route(("alice", "time"))
        assert route is not None and route.deployment_id == str(deployment.pk)
        assert await running.directory.route(("alice", "no")) is None
    finally:
        await app.stop(running)
