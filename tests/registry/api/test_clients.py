"""The exact requests of clients that others wrote, and what each needs to find in the answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from registry.importing.records import record
from registry.importing.storing import batch_store
from tests.registry.examples import based
from tests.registry.site import Site, bearer, put

NAME = "io.github.alice/weather"
OFFICIAL = "io.modelcontextprotocol.registry/official"


@pytest.fixture
def filled(site: Site) -> Site:
    names = [f"io.github.alice/server-{number:03}" for number in range(120)]
    documents = [based(name=name, version=version) for name in names for version in ("0.9.0", "1.0.0")]
    documents.append(based(name=NAME, version="2.0.0+build.7"))
    batch_store([record(one) for one in documents], verified_by="a file")
    return site


# --- VS Code


def test_vs_code_gallery_pages(filled: Site) -> None:
    """The cursor goes back as it came, not escaped; `search` goes with the first page only."""
    seen: list[str] = []
    query = "limit=50&version=latest&search=SERVER-"
    for _ in range(9):
        answer = filled.get(f"/v0.1/servers?{query}", headers={"Origin": "vscode-file://vscode-app"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        page = answer.json()
        for one in page["servers"]:  # a page whose first entry lacks one of these is an error there
            assert all(isinstance(one["server"][part], str) and one["server"][part] for part in _NEEDED)
            official = one["_meta"][OFFICIAL]
            assert official["isLatest"] is True and official["status"] == "active"
            assert datetime.fromisoformat(official["publishedAt"]) <= datetime.fromisoformat(official["updatedAt"])
        seen += [one["server"]["name"] for one in page["servers"]]
        cursor = page["metadata"].get("nextCursor")
        if not cursor:
            break
        assert quote(cursor, safe="") == cursor
        query = f"limit=50&version=latest&cursor={cursor}"
    assert seen == [f"io.github.alice/server-{number:03}" for number in range(120)]


_NEEDED = ("name", "description", "version")


def test_vs_code_probe_and_look_up(filled: Site) -> None:
    assert filled.get("/v0.1/servers?limit=1").json()["metadata"]["count"] == 1
    found = filled.get(f"/v0.1/servers/{quote(NAME, safe='')}/versions/latest")
    assert found.json()["server"]["name"] == NAME
    assert 400 <= filled.get("/v0.1/servers/io.github.alice%2Fnone/versions/latest").status_code < 500


# --- GitHub Copilot's policy, its CLI and GitHub's settings


@pytest.mark.parametrize(
    "path",
    [
        "/v0.1/servers",
        f"/v0.1/servers/{quote(NAME, safe='')}/versions/latest",
        f"/v0.1/servers/{quote(NAME, safe='')}/versions/{quote('2.0.0+build.7', safe='')}",
    ],
)
def test_copilot_reads_from_a_browser_without_an_account(filled: Site, path: str) -> None:
    preflight = filled.request(
        "OPTIONS",
        path,
        headers={
            "Origin": "https://github.com",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert preflight.is_success
    answer = filled.get(path, headers={"Origin": "https://github.com", "Authorization": "Bearer of-another-service"})
    assert answer.status_code == 200
    for found in (preflight, answer):
        assert found.headers["access-control-allow-origin"] == "*"
        assert {"GET", "OPTIONS"} <= set(found.headers["access-control-allow-methods"].split(", "))
        assert {"Authorization", "Content-Type"} <= set(found.headers["access-control-allow-headers"].split(", "))


# --- sub-registries that poll


def test_poller_sees_every_change_once_an_hour(filled: Site) -> None:
    polled_at = datetime.now(UTC)
    since = polled_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    put("io.github.alice/later", changed_at=polled_at + timedelta(seconds=2))
    put(NAME, "1.0.0", is_latest=False, status="deleted", changed_at=polled_at + timedelta(seconds=3))
    since = (polled_at + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = filled.get(f"/v0.1/servers?updated_since={quote(since)}&limit=100").json()["servers"]
    assert [(one["server"]["name"], one["_meta"][OFFICIAL]["status"]) for one in found] == [
        ("io.github.alice/later", "active"),
        (NAME, "deleted"),
    ]


def test_poller_reads_all_versions_in_full_pages(filled: Site) -> None:
    seen: list[tuple[str, str]] = []
    path = "/v0.1/servers?limit=100"
    while path:
        page = filled.get(path).json()
        seen += [(one["server"]["name"], one["server"]["version"]) for one in page["servers"]]
        cursor = page["metadata"].get("nextCursor")
        path = f"/v0.1/servers?limit=100&cursor={quote(cursor, safe='')}" if cursor else ""
    assert len(seen) == len(set(seen)) == 241


# --- mcp-publisher: Go's encoding of the document, everything at /v0


def test_mcp_publisher_publishes_and_shows_what_is_wrong(site: Site) -> None:
    assert site.get("/v0/health").json()["status"] == "ok"
    header = {**bearer(("publish", "io.github.alice/*")), "Content-Type": "application/json"}
    # What `mcp-publisher init` writes where there is no repository, and arrays that Go leaves null
    document: dict[str, Any] = based(name=NAME, repository={}, packages=None)
    document["packages"] = None
    answer = site.request("POST", "/v0/publish", json=document, headers=header)
    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["server"]["name"] == NAME
    refused = site.request("POST", "/v0/publish", json={**document, "version": "^2"}, headers=header)
    assert refused.status_code == 422
    shown = site.request("POST", "/v0/validate", json={**document, "version": "^2", "repository": None}, headers=header)
    assert shown.status_code == 422  # null is no repository
    document.pop("repository")
    shown = site.request("POST", "/v0/validate", json={**document, "version": "^2"})
    assert [one["reference"] for one in shown.json()["issues"]] == ["version-looks-like-range"]


def test_mcp_publisher_changes_statuses(site: Site) -> None:
    header = bearer(("publish", "io.github.alice/*"))
    for version in ("1.0.0", "1.1.0"):
        assert site.request("POST", "/v0/publish", json=based(name=NAME, version=version), headers=header).is_success
    encoded = quote(NAME, safe="")
    found = site.get(f"/v0/servers/{encoded}/versions/1.0.0?include_deleted=true")
    assert found.json()["_meta"][OFFICIAL]["status"] == "active"
    body = {"status": "deprecated", "statusMessage": "Please upgrade"}
    changed = site.request("PATCH", f"/v0/servers/{encoded}/versions/1.0.0/status", json=body, headers=header)
    assert changed.status_code == 200
    assert site.get(f"/v0/servers/{encoded}/versions?include_deleted=true").json()["metadata"]["count"] == 2
    body = {"status": "deleted"}
    changed = site.request("PATCH", f"/v0/servers/{encoded}/status", json=body, headers=header)
    assert changed.json()["updatedCount"] == 2
    assert site.get(f"/v0/servers/{encoded}/versions").status_code == 404
