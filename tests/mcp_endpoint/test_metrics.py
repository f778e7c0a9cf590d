"""What the site says of its calls: counters and times for Prometheus, and one line for each call that it failed."""

from __future__ import annotations

import asyncio
import timeit
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from mcp_endpoint.records import metrics
from tests.mcp_endpoint.conftest import PATH, Site, Web, ask, events, request, session, tool, until


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def requests(era: str, method: str, outcome: str) -> float:
    return value("slipway_mcp_requests_total", era=era, method=method, outcome=outcome)


async def test_calls_are_counted_by_era_method_and_outcome(site: Site, web: Web) -> None:
    cases = [
        ("legacy", "call", "answered"), ("modern", "call", "answered"), ("legacy", "open", "answered"),
        ("legacy", "other", "answered"), ("modern", "list", "answered"), ("none", "none", "refused"),
        ("modern", "call", "failed"), ("legacy", "note", "answered"), ("legacy", "end", "answered"),
    ]  # fmt: skip
    before = [requests(*case) for case in cases]
    opened = value("slipway_mcp_sessions_opened_total")
    client, modern = web.client(), web.client()
    await session(client)
    await client.post(PATH, json=tool("echo"))
    await client.post(PATH, json=request("no/such"))
    await client.delete(PATH)
    await ask(modern, tool("echo"))
    await ask(modern, request("tools/list", {}))
    await web.client(None).post(PATH, json=tool("echo"))
    site.runner.kill()
    await site.runner.wait()
    site.world.addresses = []
    assert (await ask(modern, tool("echo"))).status_code == 503
    assert [requests(*case) - was for case, was in zip(cases, before, strict=True)] == [1.0] * len(cases)
    assert value("slipway_mcp_sessions_opened_total") - opened == 1


async def test_times_and_streams(web: Web) -> None:
    labels = {"era": "legacy", "method": "call"}
    count, seconds = (value(f"slipway_mcp_request_seconds_{part}", **labels) for part in ("count", "sum"))
    streams = value("slipway_mcp_open_streams")
    client = web.client()
    await session(client)
    assert "done" in (await client.post(PATH, json=tool("slow", seconds=0.3))).text
    assert value("slipway_mcp_request_seconds_count", **labels) - count == 1
    assert 0.3 < value("slipway_mcp_request_seconds_sum", **labels) - seconds < 300  # and no milliseconds
    async with client.stream("GET", PATH) as response:
        await anext(events(response))
        assert value("slipway_mcp_open_streams") - streams == 1
    await until(lambda: value("slipway_mcp_open_streams") == streams)
    assert value("slipway_mcp_request_seconds_count", era="legacy", method="listen") == 0


def test_text_form_is_well_formed() -> None:
    metrics.OF_MODERN["tools/call"].add(200, 0.002)
    families = {family.name: family for family in text_string_to_metric_families(generate_latest(REGISTRY).decode())}
    [*buckets] = [
        sample.value
        for sample in families["slipway_mcp_request_seconds"].samples
        if sample.name.endswith("_bucket") and sample.labels["era"] == "modern" and sample.labels["method"] == "call"
    ]
    assert buckets == sorted(buckets) and buckets[-1] > 0


def test_a_call_pays_little_for_it() -> None:
    """Less than for prometheus_client's own, on the same machine at the same time."""
    series, own = metrics.OF_MODERN["tools/call"], CollectorRegistry()
    calls = Counter("calls", "Calls", ["era"], registry=own).labels("modern")
    lengths = Histogram("lengths", "Seconds", ["era"], registry=own, buckets=metrics.BOUNDS).labels("modern")

    def theirs() -> None:
        calls.inc()
        lengths.observe(0.002)

    def each(work: Callable[[], object]) -> float:
        return timeit.timeit(work, number=2000)

    ours, other = zip(*((each(lambda: series.add(200, 0.002)), each(theirs)) for _ in range(20)), strict=True)
    assert min(ours) < min(other) / 1.5, f"{min(ours) / 2000 * 1e6:.2f} µs, and {min(other) / 2000 * 1e6:.2f} µs"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    found = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in found if line["event"] == "call failed"]


async def test_failed_call_is_one_line_in_the_log(site: Site, web: Web, caplog: pytest.LogCaptureFixture) -> None:
    client, modern = web.client(), web.client()
    await session(client)
    await client.post(PATH, json=request("no/such", id=1))  # the server's own error, and the client's, are no line
    await client.post(PATH, json=[])
    await ask(modern, tool("echo"))
    call = asyncio.create_task(ask(modern, tool("slow", id="s/1", seconds=30)))
    await until(lambda: len(web.running.streams) == 1)
    site.runner.kill()
    await site.runner.wait()
    assert '"id":"s/1","error"' in (await call).text
    await client.post(PATH, json=tool("echo", id=2))
    broken, refused = lines(caplog)
    assert (broken["request_id"], broken["status"], broken["era"], broken["method"]) == ('"s/1"', 200, "modern", "call")
    assert broken["exchange"].startswith("r1.")
    assert refused["status"] == 503 and refused["deployment"] == "alice/test" and refused["request_id"] == "2"
    assert (refused["era"], refused["method"], refused["level"]) == ("legacy", "call", "warning")


async def test_unknown_exception_is_logged_with_its_trace_and_not_told(
    web: Web, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("the secret is 42")

    await ask(web.client(), tool("echo"))
    monkeypatch.setattr(type(web.running.endpoint._services.runners), "new_part", broken)
    answer = await ask(web.client(), tool("echo", id=5))
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, -32603)
    assert "42" not in answer.text
    [line] = lines(caplog)
    assert line["level"] == "error" and isinstance(line["exc_info"], RuntimeError) and line["request_id"] == "5"
