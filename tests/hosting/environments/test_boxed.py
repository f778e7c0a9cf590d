"""Every tool of a build runs in the box: what it reaches, what it is told, what it may change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hosting import environments
from hosting.environments import BuildChoices, BuildFailed, Built
from hosting.environments.store import Store
from hosting.kinds import parse
from tests.hosting.environments.test_install_code import add_scripted
from tests.packages.local_index import LocalIndex

CONSENT = BuildChoices(runs_install_code=True)


def build(reference: str, store: Path, choices: BuildChoices | None = None) -> Built:
    return environments.build(parse(reference), store, lambda text, part: None, choices or BuildChoices())


def add_thing(index: LocalIndex, name: str = "thing") -> None:
    index.add_wheel(name, "1.0", {"it.py": "def main():\n    print('it')\n"}, scripts={name: "it:main"})


def test_tools_reach_the_index_and_nothing_else(
    index: LocalIndex, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalIndex() as elsewhere:
        add_thing(elsewhere)
        add_thing(index)
        index.files_at = elsewhere.url
        with pytest.raises(BuildFailed) as caught:
            build("pypi:thing", store)
        host = elsewhere.url.removeprefix("http://")
        assert f"egress: refused {host}" in caught.value.log
        assert not elsewhere.downloads
        monkeypatch.setenv("SLIPWAY_INDEX_HOSTS", f"files.example, {host}")
        assert build("pypi:thing", store).resolved == "thing 1.0"


def test_environment_shares_no_file_with_the_cache(index: LocalIndex, store: Path) -> None:
    add_thing(index)
    index.add_npm("hello", "1.0.0", {"go.js": "#!/usr/bin/env node\n"}, bin="go.js")
    for reference in ("pypi:thing", "npm:hello"):
        built = build(reference, store)
        files = [one for one in Path(built.path).rglob("*") if one.is_file() and not one.is_symlink()]
        assert files and all(one.stat().st_nlink == 1 and one.stat().st_uid == os.geteuid() for one in files)
    assert {one.name for one in (store / ".downloads").iterdir()} == {"uv", "npm"}


def test_cache_is_kept_for_the_next_build_but_not_for_one_with_install_code(index: LocalIndex, store: Path) -> None:
    add_thing(index)
    environments.remove(build("pypi:thing", store).digest, store)
    index.downloads.clear()
    build("pypi:thing", store)
    assert not index.downloads
    build("pypi:thing", store, CONSENT)
    assert index.downloads


def test_cache_that_has_grown_too_large_is_emptied(
    index: LocalIndex, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_thing(index)
    built = build("pypi:thing", store)
    monkeypatch.setattr("hosting.environments.store.MAX_CACHE_BYTES", 1000)
    place = Store.at(store)
    with place.cache_in_use():
        assert environments.sweep(store) == 0
    assert environments.sweep(store) == 1
    assert not list(place.cache.iterdir())
    assert environments.find(built.digest, store) is not None


def test_password_of_an_index_reaches_the_tools(
    index: LocalIndex, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_thing(index)
    index.add_npm("hello", "1.0.0", {"go.js": "#!/usr/bin/env node\n"}, bin="go.js")
    index.authorizations = ("Basic bWU6aHVudGVyMg==", "Bearer hunter2")
    host = index.url.removeprefix("http://")
    with pytest.raises(BuildFailed):
        build("pypi:thing", store)
    (tmp_path / "npmrc").write_text(f"fund=false\n//{host}/:_authToken=${{NPM_WORD}}\n")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv("NPM_WORD", "hunter2")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    built = [build("pypi:thing", store), build("npm:hello", store)]
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://me:hunter2@{host}/simple")
    built.append(build("pypi:thing", Path(f"{store}-2")))
    assert "hunter2" not in "".join(one.log + one.lock for one in built)


def test_install_code_is_told_no_password(
    index: LocalIndex, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "require('node:fs').writeFileSync('seen', JSON.stringify(process.env))"
    add_scripted(index, "thief", script)
    host = index.url.removeprefix("http://")
    (tmp_path / "npmrc").write_text(f"//{host}/:_authToken=hunter2\n")
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv(f"npm_config_//{host}/:_password", "hunter2")
    built = build("npm:thief", store, CONSENT)
    seen = (Path(built.path) / "node_modules/thief/seen").read_text()
    assert "thief" in seen and "hunter2" not in seen


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users to be")
def test_what_builds_share_belongs_to_neither_us_nor_foreign_code(index: LocalIndex, store: Path) -> None:
    add_thing(index)
    build("pypi:thing", store)
    build("pypi:thing", store, CONSENT)
    owners = {one.lstat().st_uid for one in (store / ".downloads" / "uv").rglob("*")}
    assert len(owners) == 1 and not {0, os.geteuid()} & owners
