"""A server that doesn't start: taken back in time where its packages broke, or shown with the setting that it names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hosting.building import builds
from hosting.looks.broken_sets import is_broken_set
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, DeploymentVersion
from hosting.store.sources import source_reference, source_store
from tests.factories import actor_of, make_queued, make_runner, make_user
from tests.hosting.conftest import SERVERS, RunnerProcess
from tests.packages.local_index import LocalIndex

pytestmark = pytest.mark.django_db(transaction=True)
SERVER = (SERVERS / "modern.py").read_text()
RELEASED, LATER = "2026-05-10T09:00:00Z", "2026-06-01T00:00:00Z"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Iterator[LocalIndex]:
    settings.SLIPWAY_STORE = tmp_path / "store"
    with LocalIndex() as index:
        for name, value in index.settings.items():
            monkeypatch.setenv(name, value)
        yield index


def add_server(index: LocalIndex, first: str = "", name: str = "demo", **options: Any) -> None:
    """A package whose program runs `first` and then serves until its input ends."""
    files = {"demo_server.py": SERVER, "demo_start.py": f"{first}\nimport demo_server\ndef main(): pass\n"}
    options.setdefault("uploaded", RELEASED)
    index.add_wheel(name, "1.0", files, scripts={name: "demo_start:main"}, **options)


def built(reference: str = "pypi:demo") -> Deployment:
    deployment = make_queued(make_user(), reference=reference)
    return rebuilt(deployment)


def rebuilt(deployment: Deployment) -> Deployment:
    version = deployment.versions.get()
    builds.version_build(version.pk)
    deployment.refresh_from_db()
    return deployment


def looked_at(deployment: Deployment) -> DeploymentVersion:
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    return deployment.versions.get()


def test_dependencies_that_broke_are_those_of_the_release_day(index: LocalIndex, runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    index.add_wheel("dep", "1.0", {"dep.py": "FASTMCP = 1\n"}, uploaded="2026-05-01T00:00:00Z")
    index.add_wheel("dep", "2.0", {"dep.py": "SERVER = 1\n"}, uploaded=LATER)
    add_server(index, "from dep import FASTMCP", requires=["dep"])
    deployment = built()
    version = looked_at(deployment)
    assert deployment.state == "queued", deployment.reason
    assert version.as_of == date(2026, 5, 11)
    assert "resolving them as of 2026-05-11" in deployment.reason
    rebuilt(deployment)
    version = looked_at(deployment)
    assert (deployment.state, version.resolved, version.missing) == ("running", "demo 1.0", "")
    assert version.environment is not None and "dep==1.0" in version.environment.lock
    assert len(version.notices) == 1
    assert version.notices[0].startswith(
        "Its dependencies are those of 2026-05-11, because with today's it doesn't start"
    )
    assert "cannot import name 'FASTMCP' from 'dep'" in version.notices[0]


def test_it_is_taken_back_once(index: LocalIndex, runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    add_server(index, "import nothing_of_that_name")
    deployment = built()
    looked_at(deployment)
    assert deployment.state == "queued"
    version = looked_at(rebuilt(deployment))
    assert deployment.state == "failed"
    assert "nothing_of_that_name" in deployment.reason
    assert version.as_of == date(2026, 5, 11)
    assert len(version.notices) == 1


def test_a_set_of_the_release_day_that_cannot_be_built(index: LocalIndex, runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    index.add_wheel("dep", "2.0", {"dep.py": ""}, uploaded=LATER)
    add_server(index, "from dep import FASTMCP", requires=["dep"])
    deployment = built()
    looked_at(deployment)
    rebuilt(deployment)
    version = deployment.versions.get()
    assert deployment.state == "failed"
    assert "FASTMCP" in deployment.reason and "as of 2026-05-11 couldn't be installed" in deployment.reason
    assert version.built_at and not version.failure


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("import sys; print('no database configured', file=sys.stderr); sys.exit(3)", "no database configured"),
        ("raise ConnectionRefusedError('connect ECONNREFUSED 127.0.0.1:9')", "ECONNREFUSED"),
    ],
)
def test_other_failures_stay_in_the_present(
    index: LocalIndex, runner_process: RunnerProcess, first: str, words: str
) -> None:
    make_runner(address=runner_process.address)
    add_server(index, first)
    deployment = built()
    version = looked_at(deployment)
    assert deployment.state == "failed"
    assert words in deployment.reason
    assert (version.as_of, version.missing) == (None, "")


def test_a_missing_setting_is_named(index: LocalIndex, runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    add_server(index, "import os\nos.environ['DEMO_API_KEY']")
    deployment = built()
    version = looked_at(deployment)
    assert deployment.state == "failed"
    assert deployment.reason.startswith("needs a setting: DEMO_API_KEY; exited with code 1")
    assert (version.missing, version.as_of) == ("DEMO_API_KEY", None)


def test_the_argument_for_standard_streams_is_suggested(index: LocalIndex, runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    add_server(index, "import sys; sys.exit('listening on port 3000')", description="Clients run `demo --stdio`.")
    version = looked_at(built())
    assert "the argument --stdio" in version.notices[0]


@pytest.mark.parametrize(
    ("printed", "is_broken"),
    [
        ("ImportError: cannot import name 'FastMCP' from 'mcp.server'", True),
        ("AttributeError: 'Server' object has no attribute 'list_tools'", True),
        ("TypeError: server.setRequestHandler is not a function", True),
        ("Error [ERR_PACKAGE_PATH_NOT_EXPORTED]: Package subpath './x' is not defined by \"exports\"", True),
        ("SyntaxError: The requested module 'x' does not provide an export named 'y'", True),
        ("Error: boom\n    at file:///x/dist/index.js:12:11", True),
        ("TypeError: fetch failed\n    at node:internal/deps/undici:12:11 ENOTFOUND", False),
        ("usage: demo [-h]", False),
        ("listening on port 3000", False),
    ],
)
def test_what_looks_like_a_broken_set(printed: str, is_broken: bool) -> None:
    assert is_broken_set(printed) is is_broken


def test_uploaded_source_runs(index: LocalIndex, runner_process: RunnerProcess) -> None:
    """From the upload to its tools, in the sandbox: the source is read there where it lies."""
    make_runner(address=runner_process.address)
    index.add_wheel("dep", "1.0", {"dep.py": ""})
    alice = make_user()
    text = f'# /// script\n# dependencies = ["dep"]\n# ///\n{SERVER.replace("import json", "import dep, json", 1)}'
    source = source_store(actor=actor_of(alice), owner=alice.name, filename="time.py", content=text.encode())
    deployment = rebuilt(make_queued(alice, reference=source_reference(source)))
    version = looked_at(deployment)
    assert (deployment.state, version.server_info["name"]) == ("running", "modern"), deployment.reason
    assert deployment.versions.get().tools
