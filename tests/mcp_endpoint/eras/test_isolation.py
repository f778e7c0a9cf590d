"""Who shares an instance of a hosted server, whichever era either is of."""

from __future__ import annotations

from tests.mcp_endpoint.conftest import (
    Site,
    Web,
    placement,
)
from tests.mcp_endpoint.eras.asking import (
    in_session,
    who,
)


async def test_modern_calls_of_one_user_and_client_share_an_instance(site: Site, server: str) -> None:
    first, second = await site.web(), await site.web()
    assert await who(first.client()) == await who(second.client())


async def test_two_clients_of_one_user_have_their_own(site: Site, web: Web, server: str) -> None:
    assert await who(web.client()) != await who(web.client(site.token(client_id="another")))


async def test_two_users_have_their_own(web: Web, server: str, bob: str) -> None:
    assert await who(web.client()) != await who(web.client(bob))


async def test_two_legacy_sessions_of_one_client_have_their_own(web: Web, server: str) -> None:
    first, second = await in_session(web), await in_session(web)
    assert await who(first) != await who(second)
    assert await who(first) == await who(first)


async def test_a_session_and_modern_calls_of_one_client_have_their_own(web: Web, server: str) -> None:
    assert await who(await in_session(web)) != await who(web.client())


async def test_sessions_narrowed_to_their_principal_share_where_they_declare_the_same(
    site: Site, web: Web, bob: str
) -> None:
    site.world.placement = placement("legacy", isolation="principal")
    first, second, other = await in_session(web), await in_session(web), await in_session(web, sampling={})
    assert await who(first) == await who(second) != await who(other)
    assert await who(await in_session(web, bob)) not in (await who(first), await who(other))


async def test_everybody_shares_where_the_deployment_says_so(site: Site, web: Web, bob: str) -> None:
    site.world.placement = placement("legacy", isolation="shared")
    seen = {await who(web.client()), await who(web.client(bob), elicitation={})}
    seen |= {await who(await in_session(web)), await who(await in_session(web, bob, sampling={}))}
    assert len(seen) == 1
