"""Uploaded source, built with the real tools against a local index: what is started, and what is refused in words."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hosting import environments
from hosting.environments import BuildChoices, BuildFailed, Built
from hosting.kinds import parse
from hosting.kinds.archive import archive_of
from tests.hosting.environments.test_archive import zip_of
from tests.packages.local_index import LocalIndex

needs_node = pytest.mark.skipif(not shutil.which("node") or not shutil.which("npm"), reason="needs Node.js")
SCRIPT = """\
# /// script
# requires-python = ">=3.11"
# dependencies = ["some-dep>=1"]
# ///
import some_dep
print("script with", some_dep.x)
"""
PROJECT = '[project]\nname = "my-demo"\nversion = "1.5"\n'


def build(filename: str, content: str | dict[str, str], store: Path) -> Built:
    data = content.encode() if isinstance(content, str) else zip_of(dict(content.items()))
    archive = archive_of(filename, data)
    reference = parse(f"source:{archive.digest}")
    return environments.build(reference, store, lambda text, part: None, BuildChoices(archive=archive))


def output_of(built: Built) -> str:
    return subprocess.run(built.argv, env=built.env, cwd="/", capture_output=True, text=True, check=True).stdout


def failure_of(filename: str, content: str | dict[str, str], store: Path) -> str:
    with pytest.raises(BuildFailed) as caught:
        build(filename, content, store)
    assert not environments.kept(store)
    return caught.value.reason


def test_script_with_inline_metadata(index: LocalIndex, store: Path) -> None:
    index.add_wheel("some-dep", "2.0", {"some_dep.py": "x = 'a dependency'\n"})
    built = build("server.py", SCRIPT, store)
    assert output_of(built) == "script with a dependency\n"
    assert built.resolved.startswith("server.py ") and "some-dep==2.0" in built.lock
    assert built.notices == ()
    assert not (Path(built.path) / "source" / "server.py").stat().st_mode & 0o222


def test_script_without_metadata_has_the_standard_library_and_a_note(index: LocalIndex, store: Path) -> None:
    built = build("server.py", "import json\nprint(json.dumps([1]))\n", store)
    assert output_of(built) == "[1]\n"
    assert "no inline metadata" in built.notices[0]


def test_script_named_like_a_package_doesnt_hide_it(index: LocalIndex, store: Path) -> None:
    index.add_wheel("some-dep", "2.0", {"some_dep.py": "x = 'the package'\n"})
    assert output_of(build("some_dep.py", SCRIPT, store)) == "script with the package\n"


def test_another_script_is_another_environment(index: LocalIndex, store: Path) -> None:
    one, two = build("server.py", "print(1)\n", store), build("server.py", "print(2)\n", store)
    assert one.digest != two.digest
    assert build("server.py", "print(1)\n", store).digest == one.digest


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ('dependencies = ["x @ https://example.org/x.whl"]', "from an address"),
        ('dependencies = ["x @ file:///etc/passwd"]', "from an address"),
        ('dependencies = ["-r /etc/passwd"]', "isn't a dependency"),
        ('dependencies = ["--index-url=http://127.0.0.1:9/"]', "isn't a dependency"),
        ('dependencies = ["x\\n--index-url=http://127.0.0.1:9/"]', "isn't a dependency"),
        ('dependencies = "x"', "must be a list"),
        ("dependencies = [", "isn't TOML"),
        ('requires-python = ">=3.99"', "server.py needs Python >=3.99, and this site runs Python 3."),
        ('requires-python = "three"', "no version specifier"),
        ('dependencies = ["nothing-here"]', "needs the package nothing-here"),
    ],
)
def test_metadata_that_cannot_be_used(index: LocalIndex, store: Path, block: str, words: str) -> None:
    assert words in failure_of("server.py", f"# /// script\n# {block}\n# ///\n", store)


def test_dependency_without_a_wheel_names_the_consent(index: LocalIndex, store: Path) -> None:
    index.add_source("old-dep", "1.0")
    words = failure_of("server.py", '# /// script\n# dependencies = ["old-dep"]\n# ///\n', store)
    assert "can only be built from source" in words and "Allow install code" in words


def test_project_with_a_script(index: LocalIndex, store: Path) -> None:
    index.add_wheel("some-dep", "2.0", {"some_dep.py": "x = 3\n"})
    built = build(
        "demo.zip",
        {
            "demo-main/pyproject.toml": PROJECT
            + 'dependencies = ["some-dep"]\n[project.scripts]\nmy-demo = "my_demo.cli:Main.run"\n'
            + '[build-system]\nrequires = ["hostile"]\nbuild-backend = "hostile"\n',
            "demo-main/src/my_demo/__init__.py": "",
            "demo-main/src/my_demo/cli.py": "import sys, some_dep\nfrom importlib.metadata import version\n"
            "class Main:\n    @staticmethod\n    def run():\n"
            "        print(sys.argv[0], some_dep.x, version('my-demo'))\n",
        },
        store,
    )
    assert output_of(built) == "my-demo 3 1.5\n"
    assert built.resolved == "my-demo 1.5"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"server.py": "import other\nprint('server', other.x)\n", "other.py": "x = 1\n"}, "server 1\n"),
        ({"weather.py": "print(__name__)\n"}, "__main__\n"),
        ({"my_demo/__init__.py": "", "my_demo/__main__.py": "from my_demo import x\nprint(x)\n"}, ""),
    ],
)
def test_project_without_a_script(index: LocalIndex, store: Path, files: dict[str, str], said: str) -> None:
    built = build("demo.zip", {"pyproject.toml": PROJECT, **files}, store)
    if said:
        assert output_of(built) == said
    else:
        assert built.argv[-1].endswith("source/my_demo/__main__.py")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"readme.md": ""}, "neither pyproject.toml nor package.json"),
        ({"pyproject.toml": "[tool.x]\n"}, "no [project] table"),
        ({"pyproject.toml": "[tool.poetry]\nname = 'x'\n"}, "Poetry 2"),
        ({"pyproject.toml": "[project"}, "isn't TOML"),
        ({"pyproject.toml": "[project]\nversion = '1'\n"}, "no name"),
        ({"pyproject.toml": PROJECT + 'dynamic = ["dependencies"]\n', "server.py": ""}, "build backend"),
        ({"pyproject.toml": PROJECT}, "isn't clear what to start"),
        ({"pyproject.toml": PROJECT, "a.py": "", "b.py": ""}, "isn't clear what to start"),
        ({"pyproject.toml": PROJECT + '[project.scripts]\nx = "gone:main"\n'}, "no module gone"),
        ({"pyproject.toml": PROJECT + '[project.scripts]\nx = "import os; os.exit()"\n'}, "module:function"),
        ({"pyproject.toml": PROJECT + '[project.scripts]\na = "x:m"\nb = "x:m"\n', "x.py": ""}, "several commands"),
        ({"package.json": "{"}, "isn't JSON"),
        ({"package.json": "[]"}, "isn't an object"),
        ({"package.json": "{}"}, "doesn't say what to start"),
        ({"package.json": '{"main": "dist/index.js"}'}, "build step"),
        ({"package.json": '{"bin": "../../x.js"}'}, "no such file"),
        ({"package.json": '{"scripts": {"start": "node a.js && rm -rf /"}}', "a.js": ""}, "doesn't say what to start"),
        ({"package.json": '{"scripts": {"start": "node -e 1 a.js"}}', "a.js": ""}, "doesn't say what to start"),
        (
            {"package.json": '{"main": "a.js", "dependencies": {"x": "file:../x"}}', "a.js": ""},
            "outside the npm registry",
        ),
        ({"package.json": '{"main": "a.js", "dependencies": {"x": "me/x"}}', "a.js": ""}, "outside the npm registry"),
    ],
)
def test_projects_that_cannot_be_hosted(index: LocalIndex, store: Path, files: dict[str, str], words: str) -> None:
    assert words in failure_of("demo.zip", files, store)


@needs_node
def test_node_project(index: LocalIndex, store: Path, tmp_path: Path) -> None:
    index.add_npm("dep", "2.1.0", {"index.js": "module.exports = 'dep 2.1'\n"})
    index.add_npm("dep", "2.2.0", {"index.js": "module.exports = 'dep 2.2'\n"})
    witness = tmp_path / "ran"
    manifest = {
        "name": "demo", "version": "3.0.0", "bin": {"demo": "./server"}, "dependencies": {"dep": "^2.0.0"},
        "devDependencies": {"nowhere-to-be-found": "1"}, "scripts": {"postinstall": f"touch {witness}"},
    }  # fmt: skip
    files = {"package.json": json.dumps(manifest), "server.js": "console.log(require('dep'))\n"}
    built = build("demo.zip", files, store)
    assert output_of(built) == "dep 2.2\n"
    assert built.resolved == "demo 3.0.0"
    assert not witness.exists()


@needs_node
def test_node_project_keeps_to_its_own_lock_without_its_addresses(index: LocalIndex, store: Path) -> None:
    index.add_npm("dep", "2.1.0", {"index.js": "module.exports = 'dep 2.1'\n"})
    integrity = index.npm["dep"]["versions"]["2.1.0"]["dist"]["integrity"]
    index.add_npm("dep", "2.2.0", {"index.js": "module.exports = 'dep 2.2'\n"})
    package = {"version": "2.1.0", "resolved": "http://127.0.0.1:9/dep-2.1.0.tgz", "integrity": integrity}
    lock = {"lockfileVersion": 3, "packages": {"": {"name": "demo"}, "node_modules/dep": package}}
    files = {
        "package.json": json.dumps({"name": "demo", "main": "a.js", "dependencies": {"dep": "^2.0.0"}}),
        "package-lock.json": json.dumps(lock),
        "a.js": "console.log(require('dep'))\n",
    }
    built = build("demo.zip", files, store)
    assert output_of(built) == "dep 2.1\n"
    assert "127.0.0.1" not in built.lock


@needs_node
def test_node_project_started_by_its_script(index: LocalIndex, store: Path) -> None:
    manifest = {"name": "demo", "scripts": {"start": "node --no-warnings lib/go.js"}, "type": "module"}
    built = build(
        "demo.zip", {"package.json": json.dumps(manifest), "lib/go.js": "console.log(import.meta.url)"}, store
    )
    assert built.argv[1] == "--no-warnings"
    assert output_of(built).endswith("source/lib/go.js\n")


def test_a_set_is_installed_again_from_its_lock(index: LocalIndex, store: Path) -> None:
    index.add_wheel("some-dep", "2.0", {"some_dep.py": "x = 1\n"})
    built = build("server.py", SCRIPT, store)
    locked = environments.locked(built.digest, store)
    assert locked is not None
    assert environments.remove(built.digest, store)
    choices = BuildChoices(archive=archive_of("server.py", SCRIPT.encode()))
    again = environments.install(locked, store, lambda text, part: None, choices)
    assert (again.digest, again.argv) == (built.digest, built.argv)
    environments.remove(built.digest, store)
    with pytest.raises(BuildFailed, match="Upload it again"):
        environments.install(locked, store, lambda text, part: None)
