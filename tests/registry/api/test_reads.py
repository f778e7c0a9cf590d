"""Lists and entries, as any client gets them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from registry.models import ServerVersion
from tests.registry.site import Site, bearer, put

LIST = "/v0.1/servers"
PATH = f"{LIST}/a.b%2Fx/versions"


def test_empty_registry_has_an_empty_list(site: Site) -> None:
    answer = site.get(LIST)
    assert answer.json() == {"servers": [], "metadata": {"count": 0}}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("prefix", ["/v0", "/v0.1"])
@pytest.mark.parametrize("name", ["io.github.a%2Fb", "io.github.a/b", "io.github.a%2fb", "io.github.a%252Fb"])
def test_name_in_a_path_may_be_written_in_any_way(site: Site, prefix: str, name: str) -> None:
    put("io.github.a/b", "1.0.0+build")
    for version in ("latest", "1.0.0+build", "1.0.0%2Bbuild"):
        answer = site.get(f"{prefix}/servers/{name}/versions/{version}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["server"]["name"] == "io.github.a/b"
    assert site.get(f"{prefix}/servers/{name}/versions").json()["metadata"] == {"count": 1}


def test_entry_says_what_the_official_registry_says(site: Site) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)
    put(
        "io.github.a/b",
        status="deprecated",
        status_message="Use “c”",
        status_changed_at=at,
        published_at=at,
        updated_at=at,
    )
    entry = site.get("/v0/servers/io.github.a%2Fb/versions/1.0.0").json()
    assert set(entry) == {"server", "_meta"}
    assert entry["_meta"] == {
        "io.modelcontextprotocol.registry/official": {
            "status": "deprecated",
            "statusChangedAt": "2026-01-02T03:04:05.678900Z",
            "statusMessage": "Use “c”",
            "publishedAt": "2026-01-02T03:04:05.678900Z",
            "updatedAt": "2026-01-02T03:04:05.678900Z",
            "isLatest": True,
        }
    }


def test_pages_go_by_name_then_publish_sequence(site: Site) -> None:
    for name in ("b.c/z", "B.c/z", "a.b/x"):
        for version in ("2.0.0", "1.0.0"):
            put(name, version)
    seen: list[tuple[str, str]] = []
    path, pages = f"{LIST}?limit=4", 0
    while True:
        answer = site.get(path).json()
        seen += [(one["server"]["name"], one["server"]["version"]) for one in answer["servers"]]
        assert answer["metadata"]["count"] == len(answer["servers"])
        pages += 1
        if "nextCursor" not in answer["metadata"]:
            break
        path = f"{LIST}?limit=4&cursor={answer['metadata']['nextCursor']}"
    assert pages == 2
    assert seen == [(name, version) for name in ("B.c/z", "a.b/x", "b.c/z") for version in ("2.0.0", "1.0.0")]


def test_cursor_carries_the_filters(site: Site) -> None:
    for number in range(5):
        put(f"a.b/find-{number}", "1.0.0", is_latest=False)
        put(f"a.b/find-{number}", "2.0.0")
        put(f"a.b/other-{number}")
    first = site.get(f"{LIST}?limit=2&version=latest&search=FIND").json()
    cursor = first["metadata"]["nextCursor"]
    assert cursor.replace("-", "").replace("_", "").isalnum()
    # VS Code: `search` with the first page only, and the cursor as it is
    rest = site.names(f"{LIST}?limit=50&version=latest&cursor={cursor}")
    assert rest == [(f"a.b/find-{number}", "2.0.0") for number in (2, 3, 4)]


@pytest.mark.parametrize(
    ("cursor", "first"),
    [
        ("a.b/x:1.0.0", ("a.b/x", "2.0.0")),
        ("a.b/x:2.0.0", ("a.b/y", "1.0.0")),
        ("a.b/x", ("a.b/y", "1.0.0")),
        ("a.b/x:9.9.9", ("a.b/x", "1.0.0")),
        ("", ("a.b/x", "1.0.0")),
        ("QUJDREVG", ("a.b/x", "1.0.0")),  # sorts before
        ("WzEsIlx1ZDgwMCIsMSx7fV0", None),  # a half of a surrogate pair
    ],
)
def test_cursors_of_others_and_bad_ones(site: Site, cursor: str, first: tuple[str, str] | None) -> None:
    put("a.b/x", "1.0.0")
    put("a.b/x", "2.0.0")
    put("a.b/y")
    found = site.names(f"{LIST}?cursor={cursor}")
    assert (found[0] if found else None) == first or first is None


def test_filters_are_joined_by_and(site: Site) -> None:
    put("a.b/x", "1.0.0", is_latest=False)
    put("a.b/x", "2.0.0")
    put("a.b/gone", status="deleted")
    put("a.b/y", "2.0.0", is_latest=False)
    assert site.names(LIST) == [("a.b/x", "1.0.0"), ("a.b/x", "2.0.0"), ("a.b/y", "2.0.0")]
    assert site.names(f"{LIST}?version=latest") == [("a.b/x", "2.0.0")]
    assert site.names(f"{LIST}?version=2.0.0") == [("a.b/x", "2.0.0"), ("a.b/y", "2.0.0")]
    assert site.names(f"{LIST}?version=2.0.0&search=X") == [("a.b/x", "2.0.0")]
    assert site.names(f"{LIST}?search=%25") == []  # no wildcard
    assert ("a.b/gone", "1.0.0") in site.names(f"{LIST}?include_deleted=true")


def test_updated_since_is_this_sites_own_change_time_and_shows_what_was_deleted(site: Site) -> None:
    now = datetime.now(UTC)
    put("a.b/old", changed_at=now - timedelta(hours=2), updated_at=now)
    put("a.b/new", changed_at=now, updated_at=now - timedelta(days=300))
    put("a.b/gone", changed_at=now, status="deleted")
    since = (now - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert [name for name, _ in site.names(f"{LIST}?updated_since={since}")] == ["a.b/gone", "a.b/new"]
    exactly = now.isoformat().replace("+00:00", "Z")
    assert site.names(f"{LIST}?updated_since={exactly}") == []
    assert site.get(f"{LIST}?updated_since={since}&include_deleted=false").status_code == 400


@pytest.mark.parametrize(
    ("query", "status", "location"),
    [
        ("limit=0", 422, "query.limit"),
        ("limit=101", 422, "query.limit"),
        ("limit=ten", 422, "query.limit"),
        ("limit=1.5", 422, "query.limit"),
        ("include_deleted=perhaps", 422, "query.include_deleted"),
        ("updated_since=yesterday", 400, None),
        ("updated_since=2026-02-30T00:00:00Z", 400, None),
        ("updated_since=2026-01-01", 400, None),
    ],
)
def test_bad_parameters_are_problems(site: Site, query: str, status: int, location: str | None) -> None:
    answer = site.get(f"{LIST}?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]
    if location:
        assert problem["errors"][0]["location"] == location


@pytest.mark.parametrize("query", ["limit=1", "limit=100", "limit=", "unknown=1", "include_deleted=T", "search="])
def test_good_parameters(site: Site, query: str) -> None:
    assert site.get(f"{LIST}?{query}").status_code == 200


def test_versions_are_the_newest_first(site: Site) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    put("a.b/x", "1.0.0", published_at=at)
    put("a.b/x", "3.0.0", published_at=at - timedelta(days=1))
    put("a.b/x", "2.0.0", published_at=at + timedelta(days=1), status="deleted")
    path = "/v0.1/servers/a.b%2Fx/versions"
    assert [version for _, version in site.names(path)] == ["1.0.0", "3.0.0"]
    assert [version for _, version in site.names(f"{path}?include_deleted=true")] == ["2.0.0", "1.0.0", "3.0.0"]


def test_what_is_not_there_is_404(site: Site) -> None:
    put("a.b/gone", status="deleted")
    for path in (
        "/v0.1/servers/a.b%2Fnone/versions",
        "/v0.1/servers/a.b%2Fgone/versions",
        "/v0.1/servers/a.b%2Fgone/versions/latest",
        "/v0.1/servers/a.b%2Fgone/versions/1.0.0",
        "/v0.1/servers/a.b%2Fgone/versions/9?include_deleted=true",
        "/v0.1/servers/a.b%2Fgone",
        "/v0.1/nothing",
        "/v0.1",
    ):
        answer = site.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["access-control-allow-origin"] == "*"
    assert site.get("/v0.1/servers/a.b%2Fgone/versions/latest?include_deleted=true").status_code == 200
    assert site.request("DELETE", "/v0.1/servers/a.b%2Fgone/versions/1.0.0").status_code == 404


def test_trailing_slash_is_a_permanent_redirect(site: Site) -> None:
    answer = site.get(f"{LIST}/?limit=3")
    assert (answer.status_code, answer.headers["location"]) == (308, f"{LIST}?limit=3")
    assert site.request("POST", "/v0/publish//").headers["location"] == "/v0/publish"


@pytest.mark.parametrize("path", [f"{LIST}?search=%00", "/v0/servers/a%00b/versions"])
def test_nul_is_refused_in_plain_json(site: Site, path: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")


@pytest.mark.parametrize("name", ["a%2", "a%zz", "a%25zz", "a%252"])
def test_bad_escape_is_refused(site: Site, name: str) -> None:
    assert site.get(f"/v0/servers/{name}%2Fb/versions").status_code == 400


def test_any_site_may_read_and_no_cookie_counts(site: Site) -> None:
    for answer in (site.get(LIST, headers={"Origin": "https://x.example"}), site.request("OPTIONS", LIST)):
        assert answer.is_success
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert {"GET", "PATCH", "OPTIONS"} <= set(answer.headers["access-control-allow-methods"].split(", "))
        assert {"Authorization", "Content-Type"} <= set(answer.headers["access-control-allow-headers"].split(", "))
        assert "set-cookie" not in answer.headers
    assert site.request("OPTIONS", LIST).headers["access-control-max-age"] == "86400"


def test_reads_have_entity_tags(site: Site) -> None:
    put("a.b/x")
    first = site.get(LIST)
    again = site.get(LIST, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    ServerVersion.objects.update(status="deprecated")
    answer = site.get(LIST, headers={"If-None-Match": first.headers["etag"]})
    assert (answer.status_code, answer.json()["metadata"]["count"]) == (200, 1)
    assert answer.headers["etag"] != first.headers["etag"]


def test_head_is_get_without_a_body(site: Site) -> None:
    put("a.b/x")
    answer = site.request("HEAD", LIST)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(site.get(LIST).content)


def test_a_write_is_visible_within_a_second_in_every_process(site: Site, others: list[Site]) -> None:
    put("a.b/x")
    everywhere = [site, *others]
    for number in range(20):
        assert len({one.get(LIST).headers["etag"] for one in everywhere}) == 1
        ServerVersion.objects.update(status_message=f"change {number}")
        written_at = time.monotonic()
        for one in everywhere:
            asked_at = time.monotonic()
            while f"change {number}" not in one.get_now(LIST).text:
                assert asked_at < written_at + 1  # what is asked later than that is never answered with the old
                asked_at = time.monotonic()


def test_who_wrote_reads_it_at_once(site: Site) -> None:
    put("a.b/x")
    for number in range(5):
        assert site.get_now(f"{PATH}/latest").json()
        answer = site.request("PATCH", f"{PATH}/1.0.0/status", json=_deprecated(number), headers=bearer(("edit", "*")))
        assert answer.status_code == 200, answer.text
        assert f"change {number}" in site.get_now(f"{PATH}/latest").text


def _deprecated(number: int) -> dict[str, str]:
    return {"status": "deprecated", "statusMessage": f"change {number}"}
