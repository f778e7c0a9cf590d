"""Settings: what may be set, and the command, environment and headers that come of it."""

from __future__ import annotations

from typing import Any

import pytest

from hosting.configuration.inputs import (
    MAX_VALUE,
    Plain,
    Settings,
    check,
    command_of,
    headers_of,
    key_of,
    missing,
    problem_of_name,
    problem_of_value,
    url_of,
)
from hosting.kinds.declared import Declared

KEY = Declared(name="API_KEY", where="env", is_required=True, is_secret=True)


def given(*arguments: str, **values: str) -> Settings:
    return Settings({key.replace("__", ":"): value for key, value in values.items()}, arguments)


def command(declared: list[Declared], settings: Settings) -> tuple[list[str], dict[str, str]]:
    return command_of(["run"], {"A": "1"}, declared, settings)


@pytest.mark.parametrize(
    "key",
    [
        *("env:" + name for name in ["PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP"]),
        *("env:" + name for name in ["NODE_OPTIONS", "http_proxy", "HTTPS_PROXY", "No_Proxy", "ALL_PROXY", "TMPDIR"]),
        *("env:" + name for name in ["SSL_CERT_FILE", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "GLIBC_TUNABLES"]),
        *("env:" + name for name in ("", "1A", "A B", "A=B", "A\0", "Ä", "a-b", "A" * 129)),
        *("header:" + name for name in ("", "Host", "content-length", "Mcp-Session-Id", "Cookie", "A B", "A:", "A\n")),
        "variable:tenant",
        "argument:x",
        "nothing",
        "",
    ],
)
def test_names_that_are_refused_with_words(key: str) -> None:
    assert problem_of_name(key).endswith(".")
    assert key in check([], Settings({key: "x"}))


@pytest.mark.parametrize("key", ["env:API_KEY", "env:_a1", "env:PATHS", "env:LDAP_URL", "header:Authorization"])
def test_names_that_may_be_set(key: str) -> None:
    assert check([], Settings({key: "x"})) == {}


@pytest.mark.parametrize(
    ("key", "value", "declared"),
    [
        ("env:A", "a\0b", {}),
        ("env:A", "\ud800", {}),
        ("env:A", "x" * (MAX_VALUE + 1), {}),
        ("header:A", "a\r\nEvil: 1", {}),
        ("header:A", "a\nb", {}),
        ("header:A", "日本", {}),
        ("variable:A", "a\nb", {}),
        ("env:A", "three", {"choices": ("one", "two")}),
        ("env:A", "one\nthree", {"choices": ("one", "two"), "is_repeated": True}),
        ("env:A", "1 000", {"format": "number"}),
        ("env:A", "0x10", {"format": "number"}),
        ("env:A", "yes", {"format": "boolean"}),
    ],
)
def test_values_that_are_refused_with_words(key: str, value: str, declared: dict[str, Any]) -> None:
    where, name = key.split(":")
    one = Declared(name=name, where=where, **declared) if declared else None  # type: ignore[arg-type]
    assert problem_of_value(key, value, one).endswith(".")


@pytest.mark.parametrize(
    ("value", "declared"),
    [("-1.5e3", {"format": "number"}), ("true", {"format": "boolean"}), ("", {"choices": ("a",)}), ("a\nb", {})],
)
def test_values_that_may_be_set(value: str, declared: dict[str, Any]) -> None:
    assert problem_of_value("env:A", value, Declared(name="A", where="env", **declared)) == ""


def test_a_declared_but_reserved_variable_is_neither_settable_nor_set() -> None:
    path = Declared(name="PYTHONPATH", where="env", default="/tmp")
    assert "env:PYTHONPATH" in check([path], Settings({"env:PYTHONPATH": "/x"}))
    assert command([path], given()) == (["run"], {"A": "1"})


def test_too_much_is_refused() -> None:
    assert check([], Settings({f"env:A{i}": "x" for i in range(201)}))[""]
    assert check([], Settings({f"env:A{i}": "x" * 16_000 for i in range(9)}))[""]
    assert check([], Settings({}, ("x",) * 101))["arguments"]
    assert check([], Settings({}, ("a\0",)))["arguments"]


def test_environment_has_values_defaults_and_what_the_owner_adds() -> None:
    declared = [KEY, Declared(name="URL", where="env", default="https://a"), Declared(name="NONE", where="env")]
    _, env = command(declared, given(env__API_KEY="k", env__EXTRA="x"))
    assert env == {"A": "1", "API_KEY": "k", "URL": "https://a", "EXTRA": "x"}


def test_arguments_stand_in_their_order() -> None:
    declared = [
        Declared(name="second", where="argument", position=1),
        Declared(name="port", where="argument", flag="--port", position=0, format="number"),
        Declared(name="quiet", where="argument", flag="--quiet", position=2, format="boolean", default="true"),
        Declared(name="loud", where="argument", flag="--loud", position=3, format="boolean", default="false"),
        Declared(name="roots", where="argument", position=4, is_repeated=True),
        Declared(name="hosts", where="argument", flag="-h", position=5, is_repeated=True),
        Declared(name="fixed", where="argument", value_template="stdio", position=6),
        Declared(name="none", where="argument", flag="--none", position=7),
    ]
    settings = given(
        "--more",
        "a b",
        argument__second="two words",
        argument__port="80",
        argument__roots="/a\n/b",
        argument__hosts="x\ny",
    )
    argv, _ = command(declared, settings)
    assert argv[:4] == ["run", "--port", "80", "two words"]
    assert argv[4:] == ["--quiet", "/a", "/b", "-h", "x", "-h", "y", "stdio", "--more", "a b"]


def test_templates_need_all_of_their_variables() -> None:
    token = Declared(name="token", where="variable", is_secret=True)
    region = Declared(name="region", where="variable", default="eu")
    header = Declared(
        name="Authorization", where="header", value_template="Bearer {token}-{region} {x}", variables=(token, region)
    )
    assert headers_of([header], given()) == {}
    assert headers_of([header], given(variable__token="t")) == {"Authorization": "Bearer t-eu {x}"}
    assert [one.name for one in missing([header, KEY], [])] == ["API_KEY"]


def test_headers_that_cant_be_sent_are_left_out() -> None:
    declared = [
        Declared(name="X-A", where="header", default="a\nb"),
        Declared(name="Host", where="header", default="h"),
    ]
    settings = Settings({"header:X-B": "b", "env:C": "c"})
    assert headers_of(declared, settings) == {"X-B": "b"}


@pytest.mark.parametrize("value", ["evil.org/", "evil.org#", "a@evil.org", "x?y", "a:80", "../x"])
def test_a_variable_of_a_url_moves_nothing_but_its_own_place(value: str) -> None:
    from urllib.parse import urlsplit

    tenant = Declared(name="tenant", where="variable", is_required=True)
    url = urlsplit(url_of("https://api.example.org/{tenant}/mcp", [tenant], Settings({"variable:tenant": value})))
    assert (url.scheme, url.netloc, url.query, url.fragment) == ("https", "api.example.org", "", "")
    assert url.path.count("/") == 2
    host = urlsplit(url_of("https://{tenant}.example.org/", [tenant], Settings({"variable:tenant": value}))).netloc
    assert host.endswith(".example.org") and "@" not in host


def test_missing_is_required_without_value_or_default() -> None:
    declared = [KEY, Declared(name="URL", where="env", is_required=True, default="x"), Declared(name="B", where="env")]
    assert missing(declared, []) == [KEY]
    assert missing(declared, [key_of(KEY)]) == []


def test_secrets_show_in_no_repr_and_their_lines_are_masked() -> None:
    settings = Settings(
        {"env:KEY": "-----BEGIN-----\nabcdefgh\nxy\n", "env:PIN": "1234", "env:SHOWN": "visible"},
        secret_keys=frozenset({"env:KEY", "env:PIN"}),
    )
    assert "abcdefgh" not in repr(settings)
    assert settings.masked == [
        "-----BEGIN-----\nabcdefgh\nxy\n",
        "-----BEGIN-----\nabcdefgh\nxy",
        "-----BEGIN-----",
        "abcdefgh",
    ]


def test_the_column_survives_a_round_trip() -> None:
    plain = Plain({"env:A": "1"}, ("-v",), {"env:B": "2026-10-19T00:00:00+00:00"})
    assert Plain.from_json(plain.to_json()) == plain
    assert Plain.from_json({}) == Plain()
