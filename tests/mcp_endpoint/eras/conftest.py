"""A hosted server of either era, and a second user who may call it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.mcp_endpoint.conftest import ALICE, BOB, Site, placement


@pytest.fixture(params=["legacy", "modern"])
def server(request: pytest.FixtureRequest, site: Site) -> str:
    site.world.placement = placement(request.param)
    return str(request.param)


@pytest.fixture
def bob(site: Site) -> str:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, member_ids=frozenset({ALICE, BOB}))
    return site.token(BOB)
