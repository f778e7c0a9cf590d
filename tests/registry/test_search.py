"""Search: what is found, in which order, with which counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common import clock
from registry.models import SearchEntry
from registry.search import facets, finding
from registry.search.finding import Search, find
from registry.search.matching import api_condition
from registry.search.running import hosted_follow, server_seen, sign_in_seen, use_seen
from tests.registry.entries import npm, publish, pypi, remote

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf() -> None:
    publish(
        "io.github.acme/slack-mcp",
        title="Slack",
        description="Read channels and send messages",
        packages=[npm("slack-mcp")],
    )
    publish(
        "com.example/chat",
        description="Talk to teams in Slack or Discord",
        remotes=[remote("https://chat.example.com/mcp")],
    )
    publish(
        "io.github.acme/postgres",
        title="PostgreSQL",
        description="Ask a database",
        packages=[pypi("pg-mcp", environmentVariables=[{"name": "DSN", "isSecret": True, "isRequired": True}])],
    )  # noqa: E501
    publish("io.github.bob/fileSystem", description="Reads files below a folder", packages=[npm("@bob/fs")])
    publish(
        "org.weather/forecasts",
        description="天気予報 and warnings for managed calendars",
        remotes=[remote("https://weather.example.org/mcp")],
    )  # noqa: E501


def names(text: str, **more: object) -> list[str]:
    return [row.name for row in find(Search(text=text, **more)).rows]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("slack", "io.github.acme/slack-mcp"),
        ("SLACK", "io.github.acme/slack-mcp"),
        ("sla", "io.github.acme/slack-mcp"),
        ("slakc", "io.github.acme/slack-mcp"),
        ("salck", "io.github.acme/slack-mcp"),
        ("postgrse", "io.github.acme/postgres"),
        ("postgres database", "io.github.acme/postgres"),
        ("file system", "io.github.bob/fileSystem"),
        ("filesystem", "io.github.bob/fileSystem"),
        ("@bob/fs", "io.github.bob/fileSystem"),
        ("forecasting", "org.weather/forecasts"),
        ("予報", "org.weather/forecasts"),
        ("calendar", "org.weather/forecasts"),
        ("io.github.bob", "io.github.bob/fileSystem"),
        ("com.example/chat", "com.example/chat"),
        ("mcp server for slack", "io.github.acme/slack-mcp"),
        ("send messages", "io.github.acme/slack-mcp"),
    ],
)
def test_what_is_meant_comes_first(shelf: None, text: str, first: str) -> None:
    assert names(text)[0] == first


def test_name_before_description(shelf: None) -> None:
    assert names("slack") == ["io.github.acme/slack-mcp", "com.example/chat"]


@pytest.mark.parametrize("text", ["zzqqxx", "'", "&", "!()|:*", "a' | 'b':*", "\\", "%", "…", "\0"])
def test_nonsense_finds_nothing_and_breaks_nothing(shelf: None, text: str) -> None:
    found = find(Search(text=text))
    assert found.total in (0, 5)  # without a word that could be looked for, everything is listed


def test_long_question_is_cut(shelf: None) -> None:
    assert find(Search(text="slack " * 5000)).total == 2


def test_correction_is_told(shelf: None) -> None:
    assert dict(find(Search(text="slakc")).corrected) == {"slakc": "slack"}
    assert not find(Search(text="slack")).corrected


def test_counts_of_many_are_kept_for_a_while_and_rows_are_not(monkeypatch: pytest.MonkeyPatch, shelf: None) -> None:
    monkeypatch.setattr(finding, "_everything", finding._Everything())
    monkeypatch.setattr(finding, "MANY", 6)
    assert find(Search()).total == 5
    publish("io.github.acme/new")
    assert find(Search()).total == 6, "of few they are counted each time"
    publish("io.github.acme/newer")
    found = find(Search())
    assert found.total == 6 and len(found.rows) == 7
    monkeypatch.setattr(finding, "_everything", finding._Everything())
    assert find(Search()).total == 7


def test_counts_are_those_that_a_click_would_give(shelf: None) -> None:
    everything = find(Search())
    assert everything.total == 5
    assert everything.counts["package"]["npm"] == 2 and everything.counts["runs"] == {"local": 3, "remote": 2}
    npm_only = {"package": facets.BY_NAME["package"].mask(["npm"])}
    found = find(Search(chosen=npm_only))
    assert found.total == 2
    assert found.counts["package"]["pypi"] == 1  # its own group is counted without itself
    assert found.counts["secrets"] == {"none": 2, "needed": 0}
    for group in facets.GROUPS:
        for value in group.values:
            count = everything.counts[group.name][value.name]
            assert find(Search(chosen={group.name: group.mask([value.name])})).total == count, value


def test_secrets_are_a_filter(shelf: None) -> None:
    assert names("", chosen={"secrets": facets.BY_NAME["secrets"].mask(["needed"])}) == ["io.github.acme/postgres"]


def test_age_is_a_filter(shelf: None) -> None:
    SearchEntry.objects.filter(name="com.example/chat").update(updated_at=clock.now() - timedelta(days=10))
    found = find(Search(age="week"))
    assert found.total == 4 and found.counts["updated"] == {"day": 4, "week": 4, "month": 5, "year": 5}
    assert found.counts["runs"]["remote"] == 1


def test_tools_of_what_was_run_are_found(shelf: None) -> None:
    assert names("zorble_quux") == []
    server_seen(
        reference="npm:slack-mcp",
        tools=["zorbleQuux", "other"],
        revisions=["2025-11-25"],
        uses=["tasks"],
        is_hosted=True,
    )  # noqa: E501
    assert names("zorble quux") == names("quux zorble") == ["io.github.acme/slack-mcp"]
    assert find(Search()).counts["hosted"]["here"] == find(Search()).counts["uses"]["tasks"] == 1
    hosted_follow({"npm:other"})
    assert find(Search()).counts["hosted"]["here"] == 0
    hosted_follow({"npm:slack-mcp"})
    assert find(Search()).counts["hosted"]["here"] == 1


def test_what_a_look_cannot_show_is_kept_by_the_next_look(shelf: None) -> None:
    use_seen("npm:slack-mcp", "elicitation")  # never looked at: nobody knows that it is of any use
    assert find(Search()).counts["uses"]["elicitation"] == 0
    server_seen(reference="npm:slack-mcp", uses=["tasks"])
    use_seen("npm:slack-mcp", "elicitation")
    sign_in_seen("npm:slack-mcp", "oauth")
    server_seen(reference="npm:slack-mcp", revisions=["2025-06-18"])
    counts = find(Search()).counts
    assert (counts["uses"]["elicitation"], counts["uses"]["tasks"]) == (1, 0)
    assert counts["sign_in"]["oauth"] == counts["revision"]["2025-06-18"] == 1


def test_what_was_learned_before_a_server_came_counts_too() -> None:
    server_seen(reference="npm:later", tools=["unusualVerb"])
    publish("io.github.acme/later", packages=[npm("later")])
    assert names("unusual verb") == ["io.github.acme/later"]


def test_deleted_is_not_found(shelf: None) -> None:
    publish("io.github.acme/slack-mcp", "2.0.0", row={"status": "deleted"})
    assert names("slack") == ["com.example/chat"]
    assert find(Search()).total == 4


def test_change_of_a_version_changes_what_is_found(shelf: None) -> None:
    publish("io.github.acme/slack-mcp", "2.0.0", description="Now for Matrix rooms")
    assert names("matrix") == ["io.github.acme/slack-mcp"]
    assert names("slack")[0] == "io.github.acme/slack-mcp"  # by its name


@pytest.mark.parametrize("sort", ["relevance", "updated", "published", "name"])
def test_pages_have_each_server_once(sort: str) -> None:
    for number in range(23):
        publish(f"io.github.acme/tool{number:02}", title=f"Tool {number}")
    seen = [row.name for page in (1, 2, 3) for row in find(Search("tool", sort=sort, page=page, page_size=10)).rows]
    assert len(seen) == len(set(seen)) == 23


def test_few_queries(shelf: None) -> None:
    for text in ("", "slack", "slakc", "send messages to slakc"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            find(Search(text=text))
        assert len(asked) <= 5


def test_api_condition_is_by_name_and_by_words(shelf: None) -> None:
    def matched(text: str) -> set[str]:
        sql, given = api_condition(text)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT name FROM registry_searchentry WHERE {sql}", given)
            return {name for (name,) in cursor.fetchall()}

    assert matched("lack-m") == {"io.github.acme/slack-mcp"}
    assert matched("slack") == {"io.github.acme/slack-mcp", "com.example/chat"}
    assert matched("%") == matched("_") == set()
