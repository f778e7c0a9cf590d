"""The official suite's scenarios for authorization servers, with a person at the browser."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.conformance.suite import installed
from tests.e2e.person import Person, fields_of
from tests.ports import free_port
from tests.stack import Stack

pytestmark = pytest.mark.slow

SECONDS = 240


@pytest.fixture
def person(stack: Stack) -> Iterator[Person]:
    stack.manage("shell", "-c", "from accounts.services import user_create; from events.actors import OPERATOR; "
                 "user_create(actor=OPERATOR, name='conny')")  # fmt: skip
    with Person(stack, "conny") as found:
        yield found


def test_authorization_scenarios(stack: Stack, person: Person, tmp_path: Path) -> None:
    port = free_port()
    client_id = stack.manage(
        "oauth_client", "add", "--name", "Suite", "--redirect-uri", f"http://127.0.0.1:{port}/callback"
    ).stdout.strip()
    found = installed()
    command = [str(found.node), str(found.suite), "authorization", "--url", stack.url, "--client-id", client_id]
    suite = subprocess.Popen(
        [*command, "-p", str(port), "-o", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    timer = threading.Timer(SECONDS, suite.kill)
    timer.start()
    said = ""
    try:
        assert suite.stdout is not None
        for line in suite.stdout:
            said += line
            if asked := re.search(rf"{re.escape(stack.url)}/oauth/authorize\?\S+", line):
                allow(person, asked[0])
    finally:
        timer.cancel()
        suite.kill()
        suite.communicate()
    assert "3 passed, 0 failed" in said, said


def allow(person: Person, url: str) -> None:
    """As `Person.visit`, and lets the browser go where it is sent."""
    page = person.http.get(url)
    scopes = re.findall(r'name="scope" value="([^"]+)"', page.text)
    answer = person.http.post(url, data={**fields_of(page.text), "decision": "allow", "scope": scopes})
    assert answer.status_code == 302, answer.text
    assert urlsplit(answer.headers["location"]).hostname == "127.0.0.1"
    httpx2.get(answer.headers["location"])
