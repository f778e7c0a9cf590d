"""A token is for one server: the parameter `resource` (RFC 8707)."""

from __future__ import annotations

import pytest
from django.conf import settings

from oauth import claims
from tests.factories import make_deployment, make_user
from tests.oauth.flow import Flow, answered, resource_of, verify

pytestmark = pytest.mark.django_db


def test_token_is_for_one_server_only(flow: Flow) -> None:
    """Threat 3."""
    tokens = flow.connect()
    with pytest.raises(claims.InvalidTokenError, match="another resource"):
        verify(tokens["access_token"], f"{settings.SLIPWAY_URL}/mcp/alice/other")


@pytest.mark.parametrize(
    "resource",
    [
        settings.SLIPWAY_URL,
        f"{settings.SLIPWAY_URL}/",
        f"{settings.SLIPWAY_URL}/mcp",
        f"{settings.SLIPWAY_URL}/mcp/alice",
        f"{settings.SLIPWAY_URL}/mcp/alice/time/",
        f"{settings.SLIPWAY_URL}/mcp/alice/time?x=1",
        f"{settings.SLIPWAY_URL}/mcp/alice/time#",
        f"{settings.SLIPWAY_URL}/mcp/alice/time/more",
        f"{settings.SLIPWAY_URL}/mcp/alice/none",
        "https://elsewhere.example/mcp/alice/time",
        "alice/time",
        "nonsense",
        "http://[",
    ],
)
def test_only_servers_of_this_site_are_resources(flow: Flow, resource: str) -> None:
    """Threat 5: no parent, and no other spelling, is an audience."""
    flow.resource = resource
    assert answered(flow.ask())["error"] == "invalid_target"


def test_host_in_upper_case_is_the_same_server(flow: Flow) -> None:
    canonical = flow.resource
    flow.resource = canonical.replace("http://", "HTTP://").replace("localhost", "LOCALHOST")
    tokens = flow.connect()
    assert verify(tokens["access_token"], canonical)


def test_two_resources_are_refused(flow: Flow) -> None:
    flow.extra = {"resource": [flow.resource, f"{flow.resource}2"]}
    assert answered(flow.ask())["error"] == "invalid_target"


def test_private_server_of_somebody_else_is_unknown(flow: Flow) -> None:
    stranger = Flow(make_user("bob"), flow.client_id, flow.resource)
    assert answered(stranger.ask())["error"] == "invalid_target"


def test_without_a_resource_the_token_opens_no_server(flow: Flow) -> None:
    server, flow.resource = flow.resource, ""
    tokens = flow.connect()
    assert verify(tokens["access_token"], settings.SLIPWAY_URL)
    with pytest.raises(claims.InvalidTokenError):
        verify(tokens["access_token"], server)


def test_no_resource_can_be_added_at_the_token_endpoint(flow: Flow) -> None:
    server, flow.resource = flow.resource, ""
    assert flow.redeem(flow.code(), resource=server)[1]["error"] == "invalid_target"


def test_resource_can_not_be_changed_at_the_token_endpoint(flow: Flow) -> None:
    other = resource_of(make_deployment(flow.user, "other"))
    assert flow.redeem(flow.code(), resource=other)[1]["error"] == "invalid_target"
    tokens = flow.connect()
    assert flow.refresh(tokens["refresh_token"], resource=other)[1]["error"] == "invalid_target"
