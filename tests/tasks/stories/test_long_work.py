"""Work that takes long, as each kind of client sees it: an analysis, a migration, a run of tests."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import events
from tests.tasks.stories.clients import Legacy, Modern, Person, Plain, connect, text_of
from tests.tasks.stories.conftest import KINDS, Workshop


@pytest.mark.parametrize("kind", KINDS)
async def test_an_analysis_of_45_minutes(workshop: Workshop, kind: type[Legacy]) -> None:
    """A minute takes a tenth of a second: long enough that no kind of client gets it in one answer."""
    person = Person()
    async with connect(kind, *workshop.door(kind), person) as client:
        task = await client.start("analyse", minutes=45, speed=600)
        assert await client.status(task) == "working"
        result = await client.result(task)
    assert result.structured_content["minutes"] == 45
    assert [row["rows"] for row in result.structured_content["findings"]] == [100, 200, 300]
    if kind is Plain:  # whose first answer was a stream that told how it went
        steps = [progress for progress, _, _ in person.progress]
        assert steps == sorted(steps) and 1 <= len(steps) < 45


@pytest.mark.parametrize("kind", [Legacy, Modern])
async def test_a_migration_of_thousands_of_files(workshop: Workshop, kind: type[Legacy]) -> None:
    """Thousands of notifications of progress: the record keeps up with them, and has how long it will take."""
    async with connect(kind, *workshop.door(kind)) as client:
        task = await client.start("migrate", files=4000, pause=0.15)
        seen: list[float] = []
        left: list[float] = []
        while (record := await record_of(workshop, task))["state"] != "ended":
            seen.append(record["progress"]["progress"] or 0)
            if record["progress"]["left_seconds"] is not None:
                left.append(record["progress"]["left_seconds"])
            await asyncio.sleep(0.1)
        result = await client.result(task)
    assert text_of(result) == "4000 moved, 0 left"
    assert record["progress"]["progress"] == record["progress"]["total"] == 4000
    assert seen == sorted(seen) and any(0 < step < 4000 for step in seen)
    assert left and all(0 <= seconds < 60 for seconds in left)


async def test_a_run_of_tests_streams_its_lines(workshop: Workshop) -> None:
    """A person reads along, is cut off, comes back, and has each line once and in order."""
    async with connect(Legacy, *workshop.door(Legacy)) as client:
        task = await client.start("run_tests", count=60, pause=0.04, failing=7)
        lines: list[str] = []
        states: list[str] = []
        last_id, was_cut_off = "", False
        async with httpx.AsyncClient(timeout=60) as http:
            while not states or states[-1] != "ended":
                headers = {"Authorization": f"Bearer {workshop.api}", "Last-Event-ID": last_id}
                url = f"{workshop.site.url}/api/tasks/{task}/events"
                async with http.stream("GET", url, headers=headers) as answer:
                    assert answer.status_code == 200
                    async for event in events(answer):
                        last_id = event.id or last_id
                        found = event.data or {}
                        if "text" in found:
                            lines.append(found["text"])
                        if "state" in found:
                            states.append(found["state"])
                        if len(lines) >= 5 and not was_cut_off:
                            was_cut_off = True
                            break
        result = await client.result(task)
    assert lines == [f"test_{n:04} {'FAILED' if n == 7 else 'passed'}" for n in range(1, 61)]
    assert result.is_error and text_of(result) == "59 passed, 1 failed"
    assert was_cut_off


async def record_of(workshop: Workshop, task: str) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(
            f"{workshop.site.url}/api/tasks/{task}", headers={"Authorization": f"Bearer {workshop.api}"}
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
