"""From server.json to a reference and declared inputs: the published examples, and what the field made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from common.errors import BadInput
from hosting.configuration.given import declared_of
from hosting.configuration.inputs import Settings, command_of, headers_of
from hosting.kinds.declared import from_json, to_json
from hosting.kinds.server_json import choose
from hosting.models import Deployment

STDIO = {"type": "stdio"}


def document(**package: Any) -> dict[str, Any]:
    return {
        "name": "io.example/demo",
        "version": "1.0.0",
        "packages": [{"registryType": "npm", "identifier": "demo", "transport": STDIO, **package}],
    }


def command(chosen_from: dict[str, Any], **values: str) -> tuple[list[str], dict[str, str]]:
    given = {key.replace("__", ":", 1): value for key, value in values.items()}
    return command_of(["run"], {}, choose(chosen_from).declared, Settings(given))


def test_package_with_arguments_and_variables() -> None:
    chosen = choose(
        document(
            version="1.0.2",
            environmentVariables=[
                {"name": "API_KEY", "isRequired": True, "isSecret": True, "description": "From your account"},
                {"name": "LOG_LEVEL", "default": "info", "choices": ["info", "debug"]},
                {"name": "MODE", "value": "fixed"},
            ],
            packageArguments=[
                {"type": "positional", "value": "mcp"},
                {"type": "named", "name": "--port", "format": "number", "default": 8080},
                {
                    "type": "named",
                    "name": "--url",
                    "value": "https://{host}/",
                    "variables": {"host": {"isRequired": True}},
                },
                {"type": "positional", "valueHint": "folder", "isRepeated": True, "format": "filepath"},
            ],
        )
    )
    assert str(chosen.reference) == "npm:demo@1.0.2"
    by_name = {one.name: one for one in chosen.declared}
    assert by_name["API_KEY"].is_required and by_name["API_KEY"].is_secret and by_name["API_KEY"].where == "env"
    assert by_name["LOG_LEVEL"].choices == ("info", "debug")
    assert by_name["MODE"].is_fixed
    assert (by_name["--port"].default, by_name["--port"].format, by_name["--port"].position) == ("8080", "number", 1)
    assert [one.name for one in by_name["--url"].variables] == ["host"]
    assert by_name["folder"].is_repeated
    assert from_json(json.loads(json.dumps(to_json(chosen.declared)))) == chosen.declared


def test_the_command_that_comes_of_it() -> None:
    argv, env = command(
        document(
            environmentVariables=[{"name": "API_KEY"}, {"name": "MODE", "value": "fixed"}],
            packageArguments=[
                {"type": "positional", "value": "mcp"},
                {"type": "named", "name": "--url", "value": "https://{host}/", "variables": {"host": {}}},
            ],
        ),
        env__API_KEY="k",
        variable__host="example.org",
    )
    assert argv == ["run", "mcp", "--url", "https://example.org/"]
    assert env == {"API_KEY": "k", "MODE": "fixed"}


def test_the_first_package_that_can_be_hosted() -> None:
    both = document()
    both["packages"] = [
        {"registryType": "oci", "identifier": "docker.io/x/y:1", "transport": STDIO},
        {"registryType": "npm", "identifier": "web", "transport": {"type": "streamable-http", "url": "http://x"}},
        {
            "registryType": "npm",
            "identifier": "private",
            "registryBaseUrl": "https://npm.example.org",
            "transport": STDIO,
        },
        {"registryType": "pypi", "identifier": "Demo_Server", "version": "latest", "transport": STDIO},
    ]
    assert str(choose(both).reference) == "pypi:demo-server"
    assert str(choose({"server": both, "_meta": {}}).reference) == "pypi:demo-server"


def test_remote() -> None:
    chosen = choose(
        {
            "name": "io.example/demo",
            "remotes": [
                {"type": "sse", "url": "https://example.org/sse"},
                {
                    "type": "streamable-http",
                    "url": "https://{tenant}.example.org/{region}/mcp",
                    "variables": {"region": {"default": "eu", "choices": ["eu", "us"]}},
                    "headers": [
                        {"name": "Authorization", "value": "Bearer {token}", "isRequired": True},
                        {"name": "X-Key", "isSecret": True},
                    ],
                },
            ],
        }
    )
    assert chosen.reference is None
    assert chosen.remote == {"url": "https://{tenant}.example.org/{region}/mcp", "transport": "streamable-http"}
    by_name = {one.name: one for one in chosen.declared}
    assert by_name["tenant"].is_required and by_name["tenant"].where == "variable"
    assert by_name["region"].default == "eu" and not by_name["region"].is_required
    (token,) = by_name["Authorization"].variables  # nobody described it, and it is no plain text
    assert (token.name, token.is_secret, token.is_required) == ("token", True, True)
    headers = headers_of(chosen.declared, Settings({"variable:token": "t"}))
    assert headers == {"Authorization": "Bearer t"}


def test_arguments_for_a_launcher() -> None:
    one = document(
        runtimeHint="npx",
        runtimeArguments=[
            {"type": "positional", "value": "-y"},
            {"type": "named", "name": "--from", "value": "other"},
            {"type": "named", "name": "--project-ref", "description": "for the server after all"},
            {"type": "positional", "value": "--experimental-vm-modules"},
        ],
    )
    assert [each.flag for each in choose(one).declared] == ["--project-ref"]
    assert choose(one).notices == (
        "Arguments for the launcher aren't used, because Slipway starts the package itself: --experimental-vm-modules.",
    )


def test_names_are_unique() -> None:
    again = document(
        packageArguments=[
            {"type": "named", "name": "-e", "value": "A=1"},
            {"type": "named", "name": "-e", "value": "B=2"},
        ],
        environmentVariables=[{"name": "A", "default": "1"}, {"name": "A", "default": "2"}],
    )
    assert [(one.name, one.default) for one in choose(again).declared] == [("A", "1"), ("-e", ""), ("-e 2", "")]
    assert command(again) == (["run", "-e", "A=1", "-e", "B=2"], {"A": "1"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "JSON object"),
        ({}, "offers no package"),
        ({"packages": "x", "remotes": [1, {"type": "x"}]}, "offers no package"),
        ({"packages": [{"registryType": "oci", "identifier": "x"}]}, "it offers oci"),
        (document(identifier="../../etc"), "can't be the name"),
        (document(identifier="--version"), "can't be the name"),
        (document(version="^1.0"), "one exact version"),
        (document(environmentVariables=[{"name": f"A_{n}"} for n in range(300)]), "more than 200 inputs"),
    ],
)
def test_what_cannot_be_hosted(given: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        choose(given)


@pytest.mark.django_db
def test_host_a_server_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "server.json"
    wanted = document(environmentVariables=[{"name": "API_KEY", "isRequired": True, "description": "Your key"}])
    file.write_text(json.dumps(wanted))
    for _ in range(2):  # the same again changes nothing
        call_command("host", "--server-json", str(file), "--owner", "alice", "--name", "demo", "--no-wait")
    assert "alice/demo asks for API_KEY: Your key" in capsys.readouterr().err
    deployment = Deployment.objects.get()
    assert deployment.reference == "npm:demo"
    assert [one.name for one in declared_of(deployment.versions.get())] == ["API_KEY"]
    call_command("host", "npm:demo@2.0.0", "--owner", "alice", "--name", "demo", "--no-wait")
    assert [one.name for one in declared_of(deployment.versions.get(number=2))] == ["API_KEY"]
    call_command("host", "npm:other", "--owner", "alice", "--name", "demo", "--no-wait")
    assert declared_of(deployment.versions.get(number=3)) == ()


REMOTE = {
    "type": "streamable-http",
    "url": "https://example.org/{region}/mcp",
    "variables": {"region": {"isRequired": True, "description": "Where"}},
    "headers": [{"name": "Authorization", "value": "Bearer {token}", "isRequired": True}],
}


@pytest.mark.django_db
def test_host_a_server_json_with_remotes_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "server.json"
    file.write_text(json.dumps({"name": "io.example/demo", "packages": [], "remotes": [REMOTE]}))
    call_command("host", "--server-json", str(file), "--owner", "alice", "--name", "demo", "--no-wait")
    deployment = Deployment.objects.get()
    assert (deployment.kind, deployment.reference) == ("remote", "remote:https://example.org/{region}/mcp")
    assert [one.name for one in declared_of(deployment.versions.get())] == ["Authorization", "region"]
    said = capsys.readouterr().err
    assert "alice/demo asks for region: Where" in said and "asks for token" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either a reference or"),
        (["npm:x", "--server-json", "FILE"], "either a reference or"),
        (["--server-json", "/no/such/file"], "couldn't be read"),
        (["--server-json", "FILE"], "isn't JSON"),
        (["--server-json", "NOWHERE"], "can't be the host of a server"),
    ],
)
def test_host_refuses_clearly(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "x.json").write_text("{")
    (tmp_path / "far.json").write_text(json.dumps({"remotes": [{**REMOTE, "url": "https://{tenant}.example.org/mcp"}]}))
    files = {"FILE": str(tmp_path / "x.json"), "NOWHERE": str(tmp_path / "far.json")}
    arguments = [files.get(word, word) for word in arguments]
    with pytest.raises(CommandError, match=words):
        call_command("host", *arguments, "--owner", "alice", "--name", "demo", "--no-wait")
    assert not Deployment.objects.exists()
