"""npm packages from a local registry: what is chosen to start, and what is said when there is nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hosting import environments
from hosting.environments import BuildFailed, Built
from hosting.kinds import interpreters, parse
from tests.packages.local_index import LocalIndex

needs_node = pytest.mark.skipif(not shutil.which("node") or not shutil.which("npm"), reason="needs Node.js")
HELLO = "#!/usr/bin/env node\nconsole.log('hello from node')\n"


def build(reference: str, store: Path) -> Built:
    return environments.build(parse(reference), store, lambda text, part: None)


def output_of(built: Built) -> str:
    return subprocess.run(built.argv, env=built.env, cwd="/", capture_output=True, text=True, check=True).stdout


def failure_of(reference: str, store: Path) -> BuildFailed:
    with pytest.raises(BuildFailed) as caught:
        build(reference, store)
    assert not environments.kept(store)
    return caught.value


@needs_node
def test_bin_runs_under_node_without_npx(index: LocalIndex, store: Path) -> None:
    index.add_npm("dep", "2.1.0", {"index.js": "module.exports = 'dep'\n"})
    index.add_npm(
        "@scope/hello", "1.0.0", {"bin/go.js": "#!/usr/bin/env node\nconsole.log(require('dep'))\n"},
        bin={"different": "bin/go.js"}, dependencies={"dep": "^2.0.0"},
    )  # fmt: skip
    built = build("npm:@scope/hello", store)
    assert output_of(built) == "dep\n"
    assert built.argv[0] == str(interpreters.node().executable)
    assert built.resolved == "@scope/hello 1.0.0"
    assert index.url not in built.lock


@needs_node
def test_tag_and_version_that_mean_the_same_share_an_environment(index: LocalIndex, store: Path) -> None:
    index.add_npm("hello", "1.0.0", {"go.js": HELLO}, bin="go.js")
    assert build("npm:hello@latest", store).digest == build("npm:hello@1.0.0", store).digest
    assert len(environments.kept(store)) == 1


@needs_node
def test_install_scripts_are_not_run(index: LocalIndex, store: Path, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    scripts = {"postinstall": f"touch {witness}", "preinstall": f"touch {witness}"}
    index.add_npm("hello", "1.0.0", {"go.js": HELLO}, bin="go.js", scripts=scripts, hasInstallScript=True)
    built = build("npm:hello", store)
    assert not witness.exists()
    assert "Install scripts of these packages are not run: hello" in built.log


@needs_node
@pytest.mark.parametrize(
    ("bins", "expected"),
    [
        ({"a": "a.js", "hello": "b.js"}, "b.js"),
        ({"a": "a.js", "mcp-a": "b.js"}, "b.js"),
        ({"a": "a.js", "b": "a.js"}, "a.js"),
    ],
)
def test_one_of_several_bins(index: LocalIndex, store: Path, bins: dict[str, str], expected: str) -> None:
    index.add_npm("hello", "1.0.0", {"a.js": HELLO, "b.js": HELLO}, bin=bins)
    assert Path(build("npm:hello", store).argv[-1]).name == expected


@needs_node
def test_options_of_the_first_line_are_kept(index: LocalIndex, store: Path) -> None:
    index.add_npm("hello", "1.0.0", {"a.js": "#!/usr/bin/env -S node --no-warnings\nconsole.log(1)\n"}, bin="a.js")
    built = build("npm:hello", store)
    assert built.argv[1] == "--no-warnings"
    assert output_of(built) == "1\n"


@needs_node
@pytest.mark.parametrize(
    ("files", "manifest", "words"),
    [
        ({"a.js": HELLO}, {}, "names no “bin”"),
        ({"a.js": HELLO}, {"bin": {"x": "a.js", "y": "b.js"}}, "several commands"),
        ({"a.js": HELLO}, {"bin": "gone.js"}, "no such file"),
        ({"a.js": HELLO}, {"bin": "../../package.json"}, "no such file"),
        ({"a.sh": "#!/usr/bin/env bash\necho hi\n"}, {"bin": "a.sh"}, "“bash”"),
        ({"a.js": HELLO}, {"bin": "a.js", "dependencies": {"lost": "1.0.0"}}, "needs the package lost"),
        ({"a.js": HELLO}, {"bin": "a.js", "dependencies": {"far": "git+https://127.0.0.1:9/far.git"}}, "git"),
    ],
)
def test_package_that_cannot_be_hosted(
    index: LocalIndex, store: Path, files: dict[str, str], manifest: dict[str, Any], words: str
) -> None:
    index.add_npm("thing", "1.0.0", files, **manifest)
    assert words in failure_of("npm:thing", store).reason


@needs_node
def test_dependency_at_an_address_is_refused(index: LocalIndex, store: Path) -> None:
    index.add_npm("far", "1.0.0", {"index.js": ""})
    address = f"{index.url}/files/far-1.0.0.tgz"
    index.add_npm("thing", "1.0.0", {"a.js": HELLO}, bin="a.js", dependencies={"far": address})
    assert "outside the npm registry" in failure_of("npm:thing", store).reason


@needs_node
def test_unknown_package_and_version(index: LocalIndex, store: Path) -> None:
    assert failure_of("npm:nothing", store).reason.startswith("There is no package nothing on npm.")
    assert failure_of("npm:@some/nothing@1.0.0", store).reason.startswith("There is no package @some/nothing on npm.")
    index.add_npm("thing", "1.0.0", {})
    index.add_npm("thing", "1.1.0", {})
    reason = failure_of("npm:thing@7.0.0", store).reason
    assert reason == "There is no version 7.0.0 of thing on npm. The newest ones are 1.1.0, 1.0.0."


@needs_node
def test_silent_registry_is_transient(index: LocalIndex, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    failure = failure_of("npm:thing", store)
    assert failure.is_transient and "didn't answer" in failure.reason


def test_missing_node_is_said_at_deployment(store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    interpreters.node.cache_clear()
    try:
        assert "need Node.js with npm, and there is none" in failure_of("npm:thing", store).reason
    finally:
        interpreters.node.cache_clear()


@needs_node
def test_optional_need_that_the_registry_lacks(index: LocalIndex, store: Path) -> None:
    index.add_npm("native-here", "1.0.0", {"index.js": "module.exports = 'here'\n"})
    index.add_npm(
        "dep", "1.0.0", {"index.js": "module.exports = require('native-here')\n"},
        optionalDependencies={"native-here": "1.0.0", "native-elsewhere": "1.0.0"},
    )  # fmt: skip
    code = "#!/usr/bin/env node\nconsole.log(require('dep'))\n"
    index.add_npm("hello", "1.0.0", {"go.js": code}, bin="go.js", dependencies={"dep": "1.0.0"})
    assert output_of(build("npm:hello", store)) == "here\n"
