from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.broker import celery_broker_url
from config.database import database_settings


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda value: monkeypatch.setenv("THING", value)


def test_an_empty_variable_counts_as_not_set(given: Callable[[str], None]) -> None:
    given("  ")
    assert env.text("THING", "default") == "default"
    assert env.integer("THING", 7, least=1, most=9) == 7
    assert env.networks("THING") == []


@pytest.mark.parametrize("value", ["0", "10", "-3", "3.5", "four", "٣"])
def test_a_wrong_number_names_the_variable_and_the_range(given: Callable[[str], None], value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=r"^THING is .* a whole number from 1 to 9\.$"):
        env.integer("THING", 5, least=1, most=9)


def test_flags_are_words_or_digits(given: Callable[[str], None]) -> None:
    for value, meaning in {"1": True, "Yes": True, "on": True, "0": False, "FALSE": False, "": False}.items():
        given(value)
        assert env.flag("THING", default=not meaning) is meaning
    given("perhaps")
    with pytest.raises(ImproperlyConfigured, match="THING is 'perhaps', but must be 1 or 0"):
        env.flag("THING")


def test_a_choice_lists_what_may_be_chosen(given: Callable[[str], None]) -> None:
    given("docker")
    with pytest.raises(ImproperlyConfigured, match="one of bubblewrap, insecure"):
        env.choice("THING", "bubblewrap", ["bubblewrap", "insecure"])


def test_a_folder_is_absolute_and_no_file(given: Callable[[str], None], tmp_path: Path) -> None:
    given("some/where")
    assert env.folder("THING", tmp_path) == Path.cwd() / "some" / "where"
    (tmp_path / "file").touch()
    given(str(tmp_path / "file"))
    with pytest.raises(ImproperlyConfigured, match="a folder, not a file"):
        env.folder("THING", tmp_path)


def test_origins_are_scheme_and_host(given: Callable[[str], None]) -> None:
    given("https://Client.example.org, http://localhost:6274,")
    assert env.origins("THING") == ["https://client.example.org", "http://localhost:6274"]
    for bad in ("*", "null", "client.example.org", "https://a.example/", "https://a@b.example", "https://*.example"):
        given(bad)
        with pytest.raises(ImproperlyConfigured, match="THING"):
            env.origins("THING")


def test_networks_are_addresses_or_cidr(given: Callable[[str], None]) -> None:
    given("127.0.0.1, 10.0.0.0/8,::1")
    assert env.networks("THING") == ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]
    for wrong in ("proxy.example.org", "10.0.0.1/8", "*"):
        given(wrong)
        with pytest.raises(ImproperlyConfigured, match="THING is"):
            env.networks("THING")


@pytest.mark.parametrize(
    ("value", "origin", "host"),
    [
        ("https://Slipway.Example.org/", "https://slipway.example.org", "slipway.example.org"),
        ("https://slipway.example.org:443", "https://slipway.example.org", "slipway.example.org"),
        ("https://slipway.example.org:8443", "https://slipway.example.org:8443", "slipway.example.org"),
        ("http://[::1]:8000", "http://[::1]:8000", "[::1]"),
        ("http://localhost:9", "http://localhost:9", "localhost"),
        ("http://127.8.8.8:80", "http://127.8.8.8", "127.8.8.8"),
    ],
)
def test_the_public_address_is_normalized(given: Callable[[str], None], value: str, origin: str, host: str) -> None:
    given(value)
    url = env.public_url("THING", "")
    assert (url.origin, url.host) == (origin, host)


@pytest.mark.parametrize(
    "value",
    [
        "slipway.example.org",
        "ftp://slipway.example.org",
        "https://",
        "https://slipway.example.org/below",
        "https://slipway.example.org?x=1",
        "https://user@slipway.example.org",
        "https://slipway.example.org:port",
    ],
)
def test_what_is_no_public_address_is_refused(given: Callable[[str], None], value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match="THING is .* an address such as"):
        env.public_url("THING", "")


@pytest.mark.parametrize("host", ["slipway.example.org", "10.0.0.1", "127.0.0.1.example.org", "0.0.0.0", "[::2]"])
def test_plain_http_is_for_loopback_only(given: Callable[[str], None], host: str) -> None:
    given(f"http://{host}:8000")
    with pytest.raises(ImproperlyConfigured, match="but must be https; plain http is allowed only for a loopback"):
        env.public_url("THING", "")


def test_an_origin_keeps_its_port_under_another_name() -> None:
    assert env.public_url("UNSET_THING", "http://127.0.0.1:8000").named("[::1]") == "http://[::1]:8000"


def test_an_address_beside_the_site_has_a_name_of_its_own(given: Callable[[str], None]) -> None:
    site = env.public_url("UNSET_THING", "http://127.0.0.1:8000")
    assert env.other_url("UNSET_THING", site) is None
    given("http://localhost:8000")
    found = env.other_url("THING", site)
    assert found is not None and (found.origin, found.host) == ("http://localhost:8000", "localhost")


@pytest.mark.parametrize(
    "value", ["http://127.0.0.1:9000", "https://apps.example.org", "http://localhost:1/apps", "http://[::1]:8000"]
)
def test_another_port_or_scheme_is_no_address_beside_the_site(given: Callable[[str], None], value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match="THING is .* but must be an"):
        env.other_url("THING", env.public_url("UNSET_THING", "http://127.0.0.1:8000"))


def test_service_addresses_are_never_shown(given: Callable[[str], None]) -> None:
    given("mysql://user:hidden@host/x")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.service_url("THING", "", ["postgresql", "postgres"])
    assert str(caught.value) == "THING must start with one of postgresql://, postgres://."
    for wrong in ("postgresql://user:hidden@[host/x", "postgresql://user:hidden@host"):
        with pytest.raises(ImproperlyConfigured) as caught:
            database_settings(wrong, 0)
        assert "DATABASE_URL" in str(caught.value) and "hidden" not in str(caught.value)


def test_a_database_address_is_read_as_libpq_reads_it() -> None:
    found = database_settings("postgresql://u:p%40ss@db.example.org:6432/site?sslmode=require", 8)
    assert {key: found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "site",
        "USER": "u",
        "PASSWORD": "p@ss",
        "HOST": "db.example.org",
        "PORT": "6432",
    }
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["pool"]["max_size"] == 8
    assert "pool" not in database_settings("postgresql:///site?host=/run/postgres", 0)["OPTIONS"]


@pytest.mark.parametrize(
    ("given_url", "broker_url"),
    [
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("redis://:p%40ss@db.example.org:6379/2", "redis://:p%40ss@db.example.org:6379/2"),
        ("rediss://db.example.org/2", "rediss://db.example.org/2?ssl_cert_reqs=required"),
    ],
)
def test_the_broker_is_the_same_server_in_celery_s_words(given_url: str, broker_url: str) -> None:
    assert celery_broker_url(given_url) == broker_url


def test_a_site_with_https_runs_on_production_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    assert env.settings_module() == "config.settings.local"
    monkeypatch.setenv("SLIPWAY_URL", "https://slipway.example.org")
    assert env.settings_module() == "config.settings.production"
