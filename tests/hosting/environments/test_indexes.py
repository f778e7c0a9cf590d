"""Which hosts the package tools may reach from the build sandbox, by what they are told on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting.kinds.indexes import indexes


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither uv.toml nor npmrc of whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "uv").mkdir(parents=True)
    return tmp_path


def test_without_settings_it_is_the_public_ones(own_settings: Path) -> None:
    found = indexes({"PATH": "/usr/bin:/bin"})
    assert {"pypi.org:443", "files.pythonhosted.org:443"} <= set(found.hosts)
    assert found.upstream == ""


def test_own_indexes_take_their_place_without_their_passwords() -> None:
    found = indexes(
        {
            "PATH": "/usr/bin:/bin",
            "UV_DEFAULT_INDEX": "https://me:hunter2@pypi.inner.example:8443/simple",
            "UV_INDEX": "own=https://me:hunter2@second.example/simple https://third.example/simple",
            "npm_config_registry": "http://me:hunter2@npm.inner.example/",
            "HOME": "/root",
            "UV_PUBLISH_TOKEN": "hunter2",
        }
    )
    hosts = {"pypi.inner.example:8443", "second.example:443", "third.example:443", "npm.inner.example:80"}
    assert set(found.hosts) == hosts
    assert "hunter2" not in str(found.env)
    assert found.env["UV_INDEX"] == "own=https://second.example/simple https://third.example/simple"
    assert "HOME" not in found.env


def test_uv_toml_counts(own_settings: Path) -> None:
    (own_settings / "config" / "uv" / "uv.toml").write_text(
        '[[index]]\nurl = "https://one.example/simple"\ndefault = true\n[[index]]\nurl = "https://two.example/simple"\n'
    )
    found = indexes({"PATH": "/usr/bin:/bin"})
    assert {"one.example:443", "two.example:443"} <= set(found.hosts)
    assert "pypi.org:443" not in found.hosts
    assert found.env["UV_DEFAULT_INDEX"] == "https://one.example/simple"


def test_files_of_this_machine_are_shown(own_settings: Path) -> None:
    wheels = own_settings / "wheels"
    wheels.mkdir()
    found = indexes({"PATH": "/usr/bin:/bin", "UV_FIND_LINKS": str(wheels), "UV_DEFAULT_INDEX": wheels.as_uri()})
    assert str(wheels) in found.reads


@pytest.mark.parametrize(
    ("bypassed", "upstream"),
    [("", "http://proxy.example:3128"), ("other.example", "http://proxy.example:3128"), ("*", ""), (".example", "")],
)
def test_own_proxy_of_the_machine_is_kept_to(bypassed: str, upstream: str) -> None:
    found = indexes(
        {
            "PATH": "/usr/bin:/bin",
            "UV_DEFAULT_INDEX": "https://pypi.inner.example/simple",
            "npm_config_registry": "https://npm.inner.example/",
            "HTTPS_PROXY": "http://proxy.example:3128",
            "NO_PROXY": bypassed,
        }
    )
    assert found.upstream == upstream
