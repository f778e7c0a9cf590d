"""Which capabilities a server is told of, and who is asked nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.mcp_endpoint.conftest import (
    META,
    PATH,
    Site,
    Web,
    ask,
    placement,
    request,
    tool,
)
from tests.mcp_endpoint.eras.asking import (
    ELICITATION,
    FORM,
    VISIT,
    error_of,
    in_session,
    text_of,
)


async def test_a_modern_server_is_told_each_requests_own_capabilities(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    client = web.client()
    declared: dict[str, Any]
    for declared in ({"sampling": {}}, {}, ELICITATION):
        told = json.loads(text_of(await ask(client, tool("meta"), capabilities=declared)))
        assert told[META + "clientCapabilities"] == declared


async def test_a_modern_server_behind_a_session_is_told_the_sessions_capabilities(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    client = await in_session(web, sampling={"tools": {}})
    told = json.loads(text_of(await client.post(PATH, json=tool("meta"))))
    assert told[META + "clientCapabilities"] == {"sampling": {"tools": {}}}


async def test_a_legacy_server_is_told_the_sessions_capabilities(web: Web) -> None:
    client = await in_session(web, roots={"listChanged": True})
    told = json.loads(text_of(await client.post(PATH, json=tool("told"))))
    assert told["capabilities"] == {"roots": {"listChanged": True}}


async def test_a_shared_legacy_server_is_told_of_none(site: Site, web: Web) -> None:
    site.world.placement = placement("legacy", isolation="shared")
    client = await in_session(web, roots={})
    assert json.loads(text_of(await client.post(PATH, json=tool("told"))))["capabilities"] == {}
    assert json.loads(text_of(await ask(web.client(), tool("told"), capabilities=ELICITATION)))["capabilities"] == {}


@pytest.mark.parametrize(
    ("question", "declared", "missing"),
    [
        ({"method": "elicitation/create", "params": FORM}, {}, {"elicitation": {"form": {}}}),
        ({"method": "elicitation/create", "params": FORM}, {"sampling": {}}, {"elicitation": {"form": {}}}),
        ({"method": "sampling/createMessage", "params": {}}, ELICITATION, {"sampling": {}}),
        ({"method": "roots/list"}, ELICITATION, {"roots": {}}),
    ],
)
async def test_a_modern_client_is_not_asked_for_what_it_did_not_declare(
    site: Site, web: Web, question: dict[str, Any], declared: dict[str, Any], missing: dict[str, Any]
) -> None:
    site.world.placement = placement("modern")
    refused = await ask(web.client(), tool("want", **question), capabilities=declared)
    status, code, data = error_of(refused)
    assert (status, code) == (400, -32021)
    required = data["requiredCapabilities"]
    assert required == missing or required == {name: {} for name in missing}
    asked = await ask(web.client(), tool("want", **question), capabilities=missing)
    assert asked.json()["result"]["inputRequests"]["it"]["method"] == question["method"]


async def test_a_modern_client_is_told_in_words_of_a_page_that_it_did_not_declare(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    question = {"method": "elicitation/create", "params": VISIT}
    told = await ask(web.client(), tool("want", **question), capabilities=ELICITATION)
    result = told.json()["result"]
    assert result["isError"] and result["resultType"] == "complete" and VISIT["url"] in text_of(told)
    asked = await ask(web.client(), tool("want", **question), capabilities={"elicitation": {"url": {}}})
    assert asked.json()["result"]["inputRequests"] == {"it": question}


async def test_lists_ask_for_nothing(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    refused = await ask(web.client(), request("tools/list", {"cursor": "ask"}), capabilities={"roots": {}})
    assert "asked for input during tools/list" in refused.json()["error"]["message"]
    assert refused.json()["error"]["code"] == -32603


async def test_a_log_level_that_does_not_exist_is_refused(web: Web) -> None:
    refused = await ask(web.client(), tool("echo"), **{META + "logLevel": "loud"})
    assert error_of(refused)[:2] == (400, -32602)
