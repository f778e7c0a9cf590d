"""PyPI packages from a local index: what is chosen to start, and what is said when there is nothing."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from hosting import environments
from hosting.environments import BuildFailed, Built
from hosting.kinds import interpreters, parse
from tests.packages.local_index import LocalIndex

MAIN = "def main():\n    print('hello from', __name__)\n"


def build(reference: str, store: Path) -> Built:
    return environments.build(parse(reference), store, lambda text, part: None)


def output_of(built: Built) -> str:
    return subprocess.run(built.argv, env=built.env, cwd="/", capture_output=True, text=True, check=True).stdout


def failure_of(reference: str, store: Path) -> BuildFailed:
    with pytest.raises(BuildFailed) as caught:
        build(reference, store)
    assert not environments.kept(store)
    return caught.value


def test_console_script_runs_without_shell_or_launcher(index: LocalIndex, store: Path) -> None:
    index.add_wheel("some-dep", "2.0", {"some_dep.py": "x = 1\n"})
    index.add_wheel(
        "hello-mcp", "1.0", {"hello_mcp.py": "import some_dep\n" + MAIN},
        scripts={"hello-mcp": "hello_mcp:main"}, requires=["some-dep>=1"],
    )  # fmt: skip
    texts: list[tuple[str, float | None]] = []
    built = environments.build(parse("pypi:Hello_MCP"), store, lambda text, part: texts.append((text, part)))
    assert output_of(built) == "hello from hello_mcp\n"
    assert built.resolved == "hello-mcp 1.0"
    assert index.url not in built.lock and "some-dep==2.0" in built.lock
    assert [text for text, _ in texts] == [
        "resolving", "resolving: 2 packages", "downloading 2 packages", "installing 2 packages", "compiling",
        "checking", "ready",
    ]  # fmt: skip
    parts = [part for _, part in texts if part is not None]
    assert parts == sorted(parts) and parts[-1] == 1.0
    assert str(store) not in built.log


def test_environment_is_read_only_and_compiled(index: LocalIndex, store: Path) -> None:
    index.add_wheel("hello-mcp", "1.0", {"hello_mcp.py": MAIN}, scripts={"hello-mcp": "hello_mcp:main"})
    built = build("pypi:hello-mcp", store)
    for folder, _, files in os.walk(built.path):
        assert not stat.S_IMODE(os.stat(folder).st_mode) & 0o222
        for file in files:
            path = Path(folder, file)
            assert path.is_symlink() or not stat.S_IMODE(path.stat().st_mode) & 0o222
    assert list(Path(built.path).rglob("hello_mcp.*.pyc"))
    assert built.read_only[0] == built.path
    prefix_of_python = interpreters.python().executable
    assert prefix_of_python.is_relative_to("/usr") or any(
        prefix_of_python.is_relative_to(path) for path in built.read_only[1:]
    )


@pytest.mark.parametrize(
    ("name", "scripts", "expected"),
    [
        ("odd-name", ["quite-different"], "quite-different"),
        ("time-server", ["time-admin", "time-server"], "time-server"),
        ("awslabs-postgres-mcp-server", ["tool", "awslabs.postgres-mcp-server"], "awslabs.postgres-mcp-server"),
        ("thing", ["other", "other-mcp"], "other-mcp"),
    ],
)
def test_script_is_found_whatever_its_name(
    index: LocalIndex, store: Path, name: str, scripts: list[str], expected: str
) -> None:
    index.add_wheel(name, "1.0", {"it.py": MAIN}, scripts=dict.fromkeys(scripts, "it:main"))
    built = build(f"pypi:{name}", store)
    assert Path(built.argv[-1]).name == expected
    assert output_of(built) == "hello from it\n"


def test_several_scripts_none_like_the_package_are_named(index: LocalIndex, store: Path) -> None:
    index.add_wheel("thing", "1.0", {"it.py": MAIN}, scripts={"one": "it:main", "two": "it:main"})
    assert "several commands" in (reason := failure_of("pypi:thing", store).reason) and "one, two" in reason


def test_main_module_stands_in_for_a_script(index: LocalIndex, store: Path) -> None:
    files = {"a_server/__init__.py": "", "a_server/__main__.py": "print('main of', __package__)\n"}
    index.add_wheel("a-server", "1.0", files | {"a_server/tests/__init__.py": "", "a_server/tests/__main__.py": ""})
    built = build("pypi:a-server", store)
    assert built.argv[1:] == ["-P", "-m", "a_server"]
    assert output_of(built) == "main of a_server\n"


def test_library_says_that_there_is_nothing_to_start(index: LocalIndex, store: Path) -> None:
    index.add_wheel("lib", "1.5", {"lib.py": ""})
    failure = failure_of("pypi:lib", store)
    assert failure.reason.startswith("The package lib 1.5 has no command to start")
    assert "uv pip sync" in failure.log


def test_script_of_a_dependency_is_not_taken(index: LocalIndex, store: Path) -> None:
    index.add_wheel("dep", "1.0", {"dep.py": MAIN}, scripts={"dep": "dep:main"})
    index.add_wheel("lib", "1.0", {"lib.py": ""}, requires=["dep"])
    assert "no command to start" in failure_of("pypi:lib", store).reason


def test_unknown_package(index: LocalIndex, store: Path) -> None:
    failure = failure_of("pypi:nothing-here", store)
    assert failure.reason == "There is no package nothing-here on PyPI. Check the spelling of its name."
    assert not failure.is_transient


def test_unknown_version_names_the_newest(index: LocalIndex, store: Path) -> None:
    for version in ("1.0", "1.2"):
        index.add_wheel("thing", version, {"thing.py": ""})
    reason = failure_of("pypi:thing==3.0", store).reason
    assert reason == "There is no version 3.0 of thing on PyPI. The newest one is 1.2."


def test_unknown_dependency_is_named(index: LocalIndex, store: Path) -> None:
    index.add_wheel("thing", "1.0", {}, requires=["lost-dep"])
    assert failure_of("pypi:thing", store).reason == (
        "thing needs the package lost-dep, and there is none of that name on PyPI."
    )


def test_package_without_wheels_is_not_built_here(index: LocalIndex, store: Path) -> None:
    index.add_source("thing", "1.0")
    failure = failure_of("pypi:thing", store)
    assert failure.reason.startswith("thing has no wheel for Python")
    assert "foreign code" not in failure.log


def test_dependency_without_wheels_is_named(index: LocalIndex, store: Path) -> None:
    index.add_source("old-dep", "1.0")
    index.add_wheel("thing", "1.0", {}, requires=["old-dep"])
    assert failure_of("pypi:thing", store).reason.startswith("thing needs old-dep, which has no wheel")


def test_newer_python_is_asked_for_in_words(index: LocalIndex, store: Path) -> None:
    index.add_wheel("thing", "1.0", {}, requires_python=">=3.99")
    assert "thing needs Python>=3.99, and this site runs Python 3." in failure_of("pypi:thing==1.0", store).reason


def test_conflicting_dependencies_say_so(index: LocalIndex, store: Path) -> None:
    index.add_wheel("dep", "1.0", {})
    index.add_wheel("dep", "2.0", {})
    index.add_wheel("other", "1.0", {}, requires=["dep<2"])
    index.add_wheel("thing", "1.0", {}, requires=["dep>=2", "other"])
    assert "couldn't be installed together" in failure_of("pypi:thing", store).reason


def test_silent_index_is_transient(index: LocalIndex, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://somebody:secret-word@127.0.0.1:9/simple")
    failure = failure_of("pypi:thing", store)
    assert failure.is_transient and "didn't answer" in failure.reason
    assert "secret-word" not in failure.log + failure.reason


def test_file_that_differs_from_the_lock_is_refused(index: LocalIndex, store: Path) -> None:
    index.add_wheel("thing", "1.0", {"it.py": MAIN}, scripts={"thing": "it:main"})
    built = build("pypi:thing", store)
    index.add_wheel("thing", "1.0", {"it.py": "print('evil')\n"}, scripts={"thing": "it:main"})
    lock = environments.Locked("pypi", "thing", "1.0", built.lock, 1, _version(), _platform())
    with pytest.raises(BuildFailed):
        environments.install(lock, store.parent / "other", lambda text, part: None)


def test_settings_of_the_site_are_not_seen_by_the_tools(
    index: LocalIndex, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A broken interpreter path would end uv if it saw it; pip's index is taken over for uv.
    monkeypatch.setenv("VIRTUAL_ENV", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PIP_INDEX_URL", os.environ["UV_DEFAULT_INDEX"])
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    index.add_wheel("hello-mcp", "1.0", {"hello_mcp.py": MAIN}, scripts={"hello-mcp": "hello_mcp:main"})
    assert output_of(build("pypi:hello-mcp", store)) == "hello from hello_mcp\n"


def _version() -> str:
    return interpreters.python().version


def _platform() -> str:
    return interpreters.python().platform
