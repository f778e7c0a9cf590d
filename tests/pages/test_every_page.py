"""What holds of every named address: headers, cookies, and of pages what they cost. One walk, judged several times."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import transaction

from tests.pages.visit import Visit
from tests.pages.visits import visits

# So that there is a database: the walk leaves nothing in it.
pytestmark = [pytest.mark.slow, pytest.mark.django_db]
MOST_OCTETS = 120_000  # over the wire, at the first visit, without images
_ASSET = re.compile(rf'(?:href|src)="{settings.STATIC_URL}([^"#]+)')
_IMPORT = re.compile(r'(?:from|import) "(\.[^"]+)"')
_FONT = re.compile(r'url\("([^"]+)"\)')


@pytest.fixture(scope="module")
def walked(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Visit]]:
    with django_db_blocker.unblock(), transaction.atomic():
        found = visits()
        transaction.set_rollback(True)
    yield found


def pages(walked: list[Visit]) -> list[Visit]:
    return [visit for visit in walked if visit.is_page]


def test_the_walk_sees_most_of_the_site(walked: list[Visit]) -> None:
    assert len(walked) > 120 and len(pages(walked)) > 40
    assert [f"{visit.path} {visit.status}" for visit in walked if visit.status >= 500] == ["/readyz 503"]  # no runner
    names = {visit.name for visit in pages(walked)}
    assert {
        "home",
        "hosting:deployment",
        "tasks:task",
        "registry:server",
        "documentation:page",
        "accounts:audit",
    } <= names


def test_every_answer_has_the_security_headers(walked: list[Visit]) -> None:
    wrong = []
    for visit in walked:
        policy = visit.headers.get("Content-Security-Policy", "")
        is_strict = "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        rest = {
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        found = {name: visit.headers.get(name) for name in rest}
        # Of an address that is a key by itself not even our own pages are told (strict-origin).
        tells_nobody = visit.headers.get("Referrer-Policy") in ("same-origin", "strict-origin")
        if (
            not is_strict
            or not tells_nobody
            or found != rest
            or "camera=()" not in visit.headers.get("Permissions-Policy", "")
        ):
            wrong.append((visit.path, policy, found))
    assert wrong == []


def test_a_page_runs_its_own_scripts_only(walked: list[Visit]) -> None:
    for visit in pages(walked):
        policy = dict(part.strip().partition(" ")[::2] for part in visit.headers["Content-Security-Policy"].split(";"))
        nonce = re.fullmatch(r"'nonce-([\w+/=]{20,})'", policy["script-src"])
        scripts = [
            one for one in re.findall(r"<script\b([^>]*)>", visit.body.decode()) if "application/json" not in one
        ]
        assert nonce and scripts, visit.path
        assert all(f'nonce="{nonce[1]}"' in script and "src=" in script for script in scripts), visit.path
        assert policy["style-src"] == "'self'" and policy["base-uri"] == "'none'", visit.path
    nonces = Counter(visit.headers["Content-Security-Policy"] for visit in pages(walked))
    assert max(nonces.values()) == 1


def test_cookies_are_for_this_site_and_no_script(walked: list[Visit]) -> None:
    """Taking a cookie away (its value is empty then) needs none of that."""
    cookies = [cookie for visit in walked for cookie in visit.cookies.values() if cookie.value]
    assert cookies
    for cookie in cookies:
        assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["domain"], cookie


def test_a_page_is_light(walked: list[Visit]) -> None:
    """With styles, scripts and both fonts, as a browser without a cache fetches them; texts as a proxy packs them."""
    heavy = {visit.path: octets for visit in pages(walked) if (octets := weight(visit)) > MOST_OCTETS}
    assert heavy == {}


def weight(visit: Visit) -> int:
    files, fresh = set(), {Path(_file(asset)) for asset in _ASSET.findall(visit.body.decode())}
    while fresh:
        files |= fresh
        fresh = {path for file in fresh for path in _named_in(file)} - files
    return len(gzip.compress(visit.body)) + sum(_packed(file) for file in files if file.suffix != ".svg")


def _named_in(file: Path) -> Iterator[Path]:
    pattern = {".js": _IMPORT, ".css": _FONT}.get(file.suffix)
    if pattern is not None:
        yield from ((file.parent / name).resolve() for name in pattern.findall(file.read_text()))


def _file(asset: str) -> str:
    found = finders.find(asset)
    assert found, asset
    return str(found)


def _packed(file: Path) -> int:
    content = file.read_bytes()
    return len(content) if file.suffix == ".woff2" else len(gzip.compress(content))
