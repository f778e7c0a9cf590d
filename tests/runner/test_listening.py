"""What listeners hear: filters as values, and one listen request a modern child for all of them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Event, Kind
from hosting.runner.listening import Filter, common, honoured_by, union, wanted_by
from tests.runner.conftest import SECONDS, Call, Driver, placement

TOOLS = "notifications/tools/list_changed"
RESOURCES = "notifications/resources/list_changed"
UPDATED = "notifications/resources/updated"


def test_union_is_what_any_of_them_hears() -> None:
    both = union([Filter(tools_list_changed=True), Filter(resource_subscriptions=("b", "a")), Filter()])
    assert both == Filter(tools_list_changed=True, resource_subscriptions=("a", "b"))
    assert union([]) == Filter()


def test_common_is_what_both_hear() -> None:
    one = Filter(True, True, False, ("a", "b"))
    other = Filter(True, False, True, ("b", "c"))
    assert common(one, other) == Filter(True, False, False, ("b",))
    assert one.covers(Filter(prompts_list_changed=True, resource_subscriptions=("a",)))
    assert not one.covers(Filter(resources_list_changed=True))
    assert Filter().covers(Filter())


@pytest.mark.parametrize(
    ("uri", "is_heard"),
    [("file:///a", True), ("file:///a/b", True), ("file:///ab", False), ("file:///", False), ("", False)],
)
def test_a_sub_resource_is_heard_of(uri: str, is_heard: bool) -> None:
    assert Filter(resource_subscriptions=("file:///a",)).hears(UPDATED, uri) is is_heard


def test_nothing_is_heard_that_was_not_asked_for() -> None:
    asked = Filter(tools_list_changed=True)
    assert asked.hears(TOOLS, "")
    assert not any(asked.hears(method, "") for method in (RESOURCES, UPDATED, "notifications/unknown"))


def test_a_filter_with_unknown_members_is_not_merged() -> None:
    assert wanted_by(b'{"notifications":{"toolsListChanged":true}}') == Filter(tools_list_changed=True)
    assert wanted_by(b"") == Filter()
    assert wanted_by(b'{"notifications":{"taskIds":["1"]}}') is None
    assert wanted_by(b'{"notifications":{"toolsListChanged":1}}') is None


def test_of_an_acknowledgement_the_known_members_count() -> None:
    assert honoured_by(b'{"notifications":{"toolsListChanged":true,"more":1}}') == Filter(tools_list_changed=True)
    assert honoured_by(b"[]") == Filter()


def listen(driver: Driver, **wanted: Any) -> Call:
    return driver.open("subscriptions/listen", params=msgspec.json.encode({"notifications": wanted}))


async def acknowledged(call: Call) -> dict[str, Any]:
    event = await call.until(Kind.NOTIFICATION)
    assert event.extra == "notifications/subscriptions/acknowledged"
    return dict(msgspec.json.decode(event.data)["notifications"])


async def heard(call: Call) -> tuple[str, Any]:
    event: Event = await call.until(Kind.NOTIFICATION)
    return event.extra, msgspec.json.decode(event.data or b"{}")


async def change(driver: Driver, method: str, **fields: Any) -> None:
    arguments = {"method": method, "params": fields.pop("params", {})}
    assert await driver.open(tool="change", arguments=arguments, **fields).text() == "announced"


async def asked_of_child(driver: Driver) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(await driver.open(tool="listening").text())
    return found


async def until_asked(driver: Driver, *filters: dict[str, Any]) -> None:
    async with asyncio.timeout(SECONDS):
        while await asked_of_child(driver) != list(filters):
            pass


@pytest.fixture
async def modern(driver: Driver) -> Driver:
    await driver.link.ask(c.Place(placement("modern")))
    return driver


async def test_each_listener_is_acknowledged_with_its_own_filter_and_the_child_is_asked_once(modern: Driver) -> None:
    first = listen(modern, toolsListChanged=True, promptsListChanged=True)
    second = listen(modern, resourceSubscriptions=["x:1"])
    assert await acknowledged(first) == {"toolsListChanged": True}  # this server has no prompts
    assert await acknowledged(second) == {"resourceSubscriptions": ["x:1"]}
    await until_asked(modern, {"toolsListChanged": True, "resourceSubscriptions": ["x:1"]})
    third = listen(modern, toolsListChanged=True)
    assert await acknowledged(third) == {"toolsListChanged": True}
    assert len(await asked_of_child(modern)) == 1


async def test_each_listener_hears_what_its_filter_names(modern: Driver) -> None:
    tools, resource, lists = (
        listen(modern, toolsListChanged=True),
        listen(modern, resourceSubscriptions=["x:1"]),
        listen(modern, toolsListChanged=True, resourcesListChanged=True),
    )
    for call in (tools, resource, lists):
        await acknowledged(call)
    await change(modern, TOOLS)
    await change(modern, UPDATED, params={"uri": "x:1"})
    await change(modern, RESOURCES)
    await change(modern, TOOLS)
    assert [await heard(tools), await heard(tools)] == [(TOOLS, {}), (TOOLS, {})]
    assert await heard(resource) == (UPDATED, {"uri": "x:1"})
    assert [(await heard(lists))[0] for _ in range(3)] == [TOOLS, RESOURCES, TOOLS]


async def test_the_union_follows_who_comes_and_goes_and_no_change_is_lost(modern: Driver) -> None:
    first = listen(modern, toolsListChanged=True)
    await acknowledged(first)
    for count in range(5):
        await change(modern, TOOLS)
        await acknowledged(listen(modern, resourceSubscriptions=[f"x:{count}"]))
        await change(modern, TOOLS)
    assert [(await heard(first))[0] for _ in range(10)] == [TOOLS] * 10
    passing = listen(modern, resourcesListChanged=True)
    await acknowledged(passing)
    await modern.link.ask(c.Cancel(exchange=passing.attachment.exchange, owner="alice"))
    uris = [f"x:{count}" for count in range(5)]
    await until_asked(modern, {"toolsListChanged": True, "resourceSubscriptions": uris})
    await change(modern, TOOLS)
    await change(modern, RESOURCES)
    await change(modern, TOOLS)
    assert [(await heard(first))[0] for _ in range(2)] == [TOOLS] * 2


async def test_nobody_left_means_no_request_at_the_child(modern: Driver) -> None:
    only = listen(modern, toolsListChanged=True)
    await acknowledged(only)
    await modern.link.ask(c.Cancel(exchange=only.attachment.exchange, owner="alice"))
    await until_asked(modern)


async def test_an_empty_filter_is_acknowledged_and_hears_nothing(modern: Driver) -> None:
    nothing = listen(modern)
    assert await acknowledged(nothing) == {}
    assert await asked_of_child(modern) == []


async def test_all_end_in_good_order_when_the_child_ends_the_request(modern: Driver) -> None:
    calls = [listen(modern, toolsListChanged=True), listen(modern, resourcesListChanged=True)]
    for call in calls:
        await acknowledged(call)
    await modern.open(tool="part").text()
    for call in calls:
        outcome = await call.outcome()
        assert (outcome.kind, msgspec.json.decode(outcome.data)) == (Kind.RESULT, {"resultType": "complete"})
    again = listen(modern, toolsListChanged=True)
    assert await acknowledged(again) == {"toolsListChanged": True}


async def test_a_filter_of_a_future_kind_is_passed_on_as_it_is(modern: Driver) -> None:
    call = listen(modern, toolsListChanged=True, taskIds=["t1"])
    assert await acknowledged(call) == {"toolsListChanged": True, "taskIds": ["t1"]}
    await change(modern, TOOLS)
    assert await heard(call) == (TOOLS, {})


async def test_legacy_sessions_and_modern_listeners_share_the_request(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern", isolation="shared")))
    for name in ("s1", "s2"):
        await driver.session(name)
    listener = listen(driver, resourceSubscriptions=["x:1"])
    await acknowledged(listener)
    uri = msgspec.json.encode({"uri": "x:2"})
    await driver.open("resources/subscribe", params=uri, session="s2").outcome()
    channels = [Call(driver.link.attach(f"session:{name}", owner="alice")) for name in ("s1", "s2")]
    expected = {"toolsListChanged": True, "resourcesListChanged": True, "resourceSubscriptions": ["x:1", "x:2"]}
    await until_asked(driver, expected)
    for uri_changed in ("x:1", "x:2"):
        await change(driver, UPDATED, params={"uri": uri_changed})
    await change(driver, TOOLS)
    assert await heard(listener) == (UPDATED, {"uri": "x:1"})
    assert await heard(channels[0]) == (TOOLS, {})
    assert [await heard(channels[1]), await heard(channels[1])] == [(UPDATED, {"uri": "x:2"}), (TOOLS, {})]


async def test_a_legacy_child_is_subscribed_for_the_first_and_unsubscribed_for_the_last(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    calls = [listen(driver, resourceSubscriptions=["x:1"]), listen(driver, resourceSubscriptions=["x:1", "x:2"])]
    for call in calls:
        await acknowledged(call)

    async def subscribed() -> list[str]:
        return list(msgspec.json.decode(await driver.open(tool="told").text())["subscribed"])

    assert await subscribed() == ["x:1", "x:2"]
    await driver.link.ask(c.Cancel(exchange=calls[1].attachment.exchange, owner="alice"))
    async with asyncio.timeout(SECONDS):
        while await subscribed() != ["x:1"]:
            pass
    await change(driver, UPDATED, params={"uri": "x:1"})
    assert await heard(calls[0]) == (UPDATED, {"uri": "x:1"})
