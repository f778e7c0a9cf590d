"""npm, PyPI, NuGet and crates.io, asked by their own protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from registry.ownership.errors import OwnershipUnknown, OwnershipUnproven
from tests.registry.fakes.indexes import FakeCrates, FakeNpm, FakeNuGet, FakePyPI
from tests.registry.fakes.peers import Peers
from tests.registry.fakes.web import Response
from tests.registry.ownership.conftest import SERVER, check

MARKER = f"# Weather\n\nmcp-name: {SERVER}\n"


# --- npm


@pytest.mark.parametrize("name", ["weather", "@example/weather", "@ex-ample/weather.js", "Weather_2"])
def test_npm_package_names_its_server(npm: FakeNpm, name: str) -> None:
    npm.put(name, "1.2.3-rc.1", mcpName=SERVER)
    check("npm", name, "1.2.3-rc.1")


@pytest.mark.parametrize("named", ["org.example/weather-evil", "Org.Example/weather", "org.example/other"])
def test_npm_package_of_another_server_is_refused(npm: FakeNpm, named: str) -> None:
    npm.put("weather", "1.0.0", mcpName=named)
    with pytest.raises(OwnershipUnproven, match=f"belongs to {named}"):
        check("npm", "weather", "1.0.0")


def test_npm_package_without_a_name_is_told_what_to_add(npm: FakeNpm) -> None:
    npm.put("weather", "1.0.0")
    with pytest.raises(OwnershipUnproven, match='Add "mcpName": "org.example/weather" to its package.json'):
        check("npm", "weather", "1.0.0")


def test_npm_version_must_be_that_version(npm: FakeNpm) -> None:
    """Threat 34: a tag has an answer too, and leads elsewhere tomorrow."""
    npm.put("weather", "1.0.0", mcpName=SERVER)
    npm.tags["weather", "stable"] = "1.0.0"
    with pytest.raises(OwnershipUnproven, match="the index answers with weather 1.0.0"):
        check("npm", "weather", "stable")
    with pytest.raises(OwnershipUnproven, match="There is no npm package weather 2.0.0"):
        check("npm", "weather", "2.0.0")


# --- PyPI


@pytest.mark.parametrize("text", [MARKER, f"<!-- mcp-name: {SERVER} -->"])
def test_pypi_readme_names_its_server(pypi: FakePyPI, text: str) -> None:
    pypi.releases["Weather.py", "1.0.0+local"] = text
    check("pypi", "Weather.py", "1.0.0+local")


@pytest.mark.parametrize("text", ["", None, "mcp-name: org.example/weather-evil", "org.example/weather"])
def test_pypi_readme_that_does_not_is_told_what_to_add(pypi: FakePyPI, text: str | None) -> None:
    pypi.releases["weather", "1.0.0"] = text
    with pytest.raises(OwnershipUnproven, match="Write “mcp-name: org.example/weather” into its README"):
        check("pypi", "weather", "1.0.0")


def test_pypi_release_that_is_not_there(pypi: FakePyPI) -> None:
    pypi.releases["weather", "1.0.0"] = MARKER
    with pytest.raises(OwnershipUnproven, match="There is no pypi package weather 1.0.1"):
        check("pypi", "weather", "1.0.1")


# --- NuGet


def test_nuget_readme_names_its_server(nuget: FakeNuGet) -> None:
    nuget.readmes["example.weather", "1.0.0-beta"] = MARKER
    check("nuget", "Example.Weather", "1.0.0-Beta+build.5")


def test_nuget_package_without_readme_or_version(nuget: FakeNuGet) -> None:
    nuget.readmes["weather", "1.0.0"] = None
    nuget.readmes["weather", "1.1.0"] = "Nothing"
    with pytest.raises(OwnershipUnproven, match="README, which it lacks so far"):
        check("nuget", "Weather", "1.0.0")
    with pytest.raises(OwnershipUnproven, match="into its README, and"):
        check("nuget", "Weather", "1.1.0")
    with pytest.raises(OwnershipUnproven, match="There is no nuget package Weather 2.0.0. New versions take"):
        check("nuget", "Weather", "2.0.0")
    with pytest.raises(OwnershipUnproven, match="There is no nuget package Other 1.0.0"):
        check("nuget", "Other", "1.0.0")


# --- crates.io


def test_crate_s_readme_names_its_server(crates: FakeCrates) -> None:
    crates.readmes["weather", "1.0.0"] = f"<h1>Weather</h1>\n<p>mcp-name: {SERVER}</p>"
    check("cargo", "weather", "1.0.0")


def test_crate_that_hides_the_name_or_is_not_there(crates: FakeCrates) -> None:
    crates.readmes["weather", "1.0.0"] = f"<!-- mcp-name: {SERVER} -->"
    with pytest.raises(OwnershipUnproven, match="as text that readers see"):
        check("cargo", "weather", "1.0.0")
    with pytest.raises(OwnershipUnproven, match="There is no cargo package"):
        check("cargo", "weather", "2.0.0")


# --- all of them

ALL = ("npm", "pypi", "nuget", "cargo")


@pytest.fixture(params=ALL)
def kind(request: pytest.FixtureRequest, npm: FakeNpm, pypi: FakePyPI, nuget: FakeNuGet, crates: FakeCrates) -> str:
    npm.put("weather", "1.0.0", mcpName=SERVER)
    pypi.releases["weather", "1.0.0"] = MARKER
    nuget.readmes["weather", "1.0.0"] = MARKER
    crates.readmes["weather", "1.0.0"] = f"<p>{MARKER}</p>"
    found: str = request.param
    return found


def test_base_url_may_be_said_if_it_is_the_operator_s(kind: str, urls: dict[str, str]) -> None:
    check(kind, "weather", "1.0.0", registryBaseUrl=urls[kind])


@pytest.mark.parametrize(
    "base",
    [
        "https://mallory.test", "https://169.254.169.254", "https://127.0.0.1:6379", "http://npm.test",
        "https://registry.npmjs.org.mallory.test", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_other_base_url_is_never_asked(kind: str, peers: Peers, base: str) -> None:
    """Threat 34, SSRF: where packages are is the operator's to say."""
    with pytest.raises(OwnershipUnproven, match=r"packages\[0\].registryBaseUrl"):
        check(kind, "weather", "1.0.0", registryBaseUrl=base)
    assert not peers.dns.asked


@pytest.mark.parametrize("identifier", ["../secret", "..", "a/../../b", "a?b", "a#b", "a b", "a%2fb", "é", "@a", "a\n"])
def test_identifier_is_no_way_to_another_page(kind: str, peers: Peers, identifier: str) -> None:
    """Threat 34, SSRF: a name is one part of an address."""
    with pytest.raises(OwnershipUnproven, match="is no name of a"):
        check(kind, identifier, "1.0.0")
    assert not peers.dns.asked


@pytest.mark.parametrize("version", ["..", "1/../..", "1?x", "1 0", "1#", "é", "."])
def test_version_is_no_way_to_another_page(kind: str, peers: Peers, version: str) -> None:
    with pytest.raises(OwnershipUnproven, match="is no version of a"):
        check(kind, "weather", version)
    assert not peers.dns.asked


def test_version_is_needed_and_no_hash(kind: str) -> None:
    with pytest.raises(OwnershipUnproven, match=r"packages\[0\].version"):
        check(kind, "weather")
    with pytest.raises(OwnershipUnproven, match=r"packages\[0\].fileSha256"):
        check(kind, "weather", "1.0.0", fileSha256="0" * 64)


def test_private_index_that_the_operator_did_not_open_is_not_asked(kind: str, settings: Any) -> None:
    """Threat 34, SSRF: an index whose name leads inside."""
    settings.SLIPWAY_EGRESS_PRIVATE = []
    with pytest.raises(OwnershipUnproven, match="loopback address"):
        check(kind, "weather", "1.0.0")


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (lambda _: Response(429, b"", {"Retry-After": "7"}), OwnershipUnknown, "asked too often"),
        (lambda _: Response(503), OwnershipUnknown, "status 503"),
        (lambda _: Response(200, b"{"), (OwnershipUnknown, OwnershipUnproven), "JSON expected|README"),
        (lambda _: Response(200, b"x", {"Content-Length": "99999999999"}), OwnershipUnproven, "larger than"),
        (lambda _: Response(302, b"", {"Location": "https://169.254.169.254/"}), OwnershipUnproven, "not fetched"),
        (lambda _: Response(302, b"", {"Location": "http://npm.test/"}), OwnershipUnproven, "not fetched"),
    ],
)
@pytest.mark.parametrize("index", ALL)
def test_index_that_does_not_work(
    peers: Peers, urls: dict[str, str], index: str, answer: Callable[[Any], Response], error: Any, words: str
) -> None:
    urls[index], _ = peers.serve("broken.test", answer)
    with pytest.raises(error, match=words) as raised:
        check(index, "weather", "1.0.0")
    if "often" in words:
        assert raised.value.retry_after == 7


def test_index_that_is_not_there(peers: Peers, urls: dict[str, str]) -> None:
    urls["npm"] = "https://nowhere.test"
    with pytest.raises(OwnershipUnknown, match="Try again shortly"):
        check("npm", "weather", "1.0.0")


def test_unknown_kind_and_too_many(peers: Peers, kind: str) -> None:
    from registry.ownership.checking import check_packages

    with pytest.raises(OwnershipUnproven, match=r"packages\[0\].registryType"):
        check("gem", "weather", "1.0.0")
    package = {"registryType": kind, "identifier": "weather", "version": "1.0.0"}
    with pytest.raises(OwnershipUnproven, match="more than 50"):
        check_packages({"name": SERVER, "packages": [package] * 51})


def test_second_package_is_checked_too(npm: FakeNpm) -> None:
    from registry.ownership.checking import check_packages

    npm.put("weather", "1.0.0", mcpName=SERVER)
    npm.put("other", "1.0.0", mcpName="org.example/other")
    packages = [{"registryType": "npm", "identifier": name, "version": "1.0.0"} for name in ("weather", "other")]
    with pytest.raises(OwnershipUnproven, match=r"^packages\[1\]: "):
        check_packages({"name": SERVER, "packages": packages})


def test_operator_may_switch_the_checks_off(peers: Peers, settings: Any) -> None:
    settings.REGISTRY_CHECK_OWNERSHIP = False
    check("npm", "weather", "1.0.0")
    assert not peers.dns.asked
