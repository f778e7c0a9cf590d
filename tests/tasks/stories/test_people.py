"""Work that needs a person in the middle: a deployment with an approval gate, research that asks which way to go."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.tasks.stories.clients import Legacy, Modern, Person, Plain, connect, text_of
from tests.tasks.stories.conftest import KINDS, Workshop

GATE = "Shall version {} go to production?"


async def deployed(client: Any) -> list[str]:
    return text_of(await client.client.call_tool("deployed", {})).splitlines()


@pytest.mark.parametrize("kind", [Legacy, Modern])
async def test_a_deployment_goes_on_once_it_is_approved(workshop: Workshop, kind: type[Legacy]) -> None:
    version = f"2.4-{kind.__name__}"
    person = Person(choose=lambda message, options: options[1])
    async with connect(kind, *workshop.door(kind), person) as client:
        task = await client.start("deploy", version=version, pause=2)
        result = await client.result(task)
        assert await deployed(client) == [f"{version} tonight"]
        assert await client.status(task) == "completed"
    assert person.asked == [GATE.format(version)]
    assert text_of(result) == f"Version {version} is deployed tonight."


@pytest.mark.parametrize("kind", [Legacy, Modern])
async def test_a_deployment_that_is_declined_does_nothing(workshop: Workshop, kind: type[Legacy]) -> None:
    version = f"bad-{kind.__name__}"
    person = Person(choose=lambda message, options: "")
    async with connect(kind, *workshop.door(kind), person) as client:
        result = await client.result(await client.start("deploy", version=version, pause=2))
        assert version not in " ".join(await deployed(client))
    assert result.is_error and text_of(result) == f"Version {version} was not wanted."


async def test_who_can_not_be_asked_by_the_client_answers_at_the_site(workshop: Workshop) -> None:
    """The call is in the background when the question comes, so nothing leads to the client. A colleague approves."""
    url, token = workshop.door(Plain)
    async with connect(Plain, url, token, Person(choose=lambda message, options: "now")) as client:
        task = await client.start("deploy", version="3", pause=2)
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {workshop.api}"}, timeout=60) as http:
            at = f"{workshop.site.url}/api/tasks/{task}"
            async with asyncio.timeout(60):
                while not (questions := (await http.get(at)).json()["questions"]):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            ((key, question),) = (
                questions.items() if isinstance(questions, dict) else [(q["key"], q) for q in questions]
            )
            assert question["params"]["message"] == GATE.format("3")
            answer = {"key": key, "result": {"action": "accept", "content": {"choice": "now"}}}
            assert (await http.post(f"{at}/answer", json=answer)).status_code == 200
            late = await http.post(f"{at}/answer", json=answer)
            assert late.status_code == 409
        assert text_of(await client.result(task)) == "Version 3 is deployed now."
    assert client.person.asked == []


@pytest.mark.parametrize("kind", KINDS)
async def test_research_goes_the_way_that_was_chosen(workshop: Workshop, kind: type[Legacy]) -> None:
    """Two questions; the second one depends on the first answer."""
    person = Person(choose=lambda message, options: options[1])
    async with connect(kind, *workshop.door(kind), person) as client:
        if kind is Plain:  # asks in mid-call, and the answer is the result
            result = await client.client.call_tool("research", {"topic": "bees"})
        else:
            result = await client.result(await client.start("research", topic="bees", pause=3))
    assert person.asked == ["bees: which way?", "biology of bees: how deep?"]
    assert text_of(result) == "bees, biology, long"
