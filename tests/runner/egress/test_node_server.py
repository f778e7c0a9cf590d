"""A hosted npm package that fetches: installed by npm, run by a real runner, reached over its stream."""

from __future__ import annotations

import asyncio
import base64
import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hosting import environments
from hosting.kinds import parse
from hosting.runner import control as c
from hosting.runner.placement import Egress
from tests.packages.local_index import LocalIndex
from tests.runner.conftest import Driver, placement, until
from tests.runner.egress.peers import web
from tests.runner.test_restart import restart

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")

# The least that speaks the protocol; its one tool fetches, as Node.js servers do, with what Node.js brings.
SERVER = """#!/usr/bin/env node
const say = (id, result) => console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
const schema = { type: "object", properties: { url: { type: "string" } } };
require("node:readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  if (method === "initialize") {
    const { protocolVersion } = params;
    return say(id, { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "fetcher", version: "1" } });
  }
  if (method === "tools/list") return say(id, { tools: [{ name: "get", inputSchema: schema }] });
  if (method !== "tools/call")
    return console.log(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: "unknown" } }));
  const text = await fetch(params.arguments.url).then((got) => got.text(), (error) => String(error.cause ?? error));
  say(id, { content: [{ type: "text", text }] });
});
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> environments.Built:
    monkeypatch.delenv("npm_config_cache", raising=False)
    with LocalIndex() as index:
        for name, value in index.settings.items():
            monkeypatch.setenv(name, value)
        index.add_npm("fetcher", "1.0.0", {"go.js": SERVER}, bin="go.js")
        return environments.build(parse("npm:fetcher"), tmp_path / "store", lambda text, part: None)


async def test_npm_server_fetches_through_the_proxy_and_over_a_restart_in_place(
    installed: environments.Built, start_runner: Callable[..., Any], tmp_path: Path
) -> None:
    async with web(tmp_path, "127.77.0.1", 0, "127.77.0.1") as peer:
        authority = tmp_path / "authority.pem"
        authority.write_text(peer.authority)
        driver = await start_runner(more=("--networks", "127.77.0.0/16", "--ports", str(peer.port)))
        wanted = placement(
            argv=installed.argv,
            env={**installed.env, "NODE_EXTRA_CA_CERTS": str(authority)},
            read_only=[*installed.read_only, str(authority)],
            egress=Egress("public"),
        )
        await driver.link.ask(c.Place(wanted))
        await driver.session()

        async def get(url: str) -> str:
            text: str = await driver.open(session="s1", tool="get", arguments={"url": url}).text()
            return text

        assert await get(f"https://127.77.0.1:{peer.port}/") == "hello"
        assert "denied" in await get("https://169.254.169.254/")
        await restart(driver)
        assert await get(f"https://127.77.0.1:{peer.port}/") == "hello"
        assert "ECONN" in await get(f"https://127.77.0.1:{peer.port + 1}/")
        lines: list[str] = []
        while not any("refused" in line for line in lines):
            lines = [one.line for one in (await driver.link.ask(c.GetTail("d1"))).lines]
        assert f"egress: connected to 127.77.0.1:{peer.port}" in lines
        assert "egress: refused 169.254.169.254:443: metadata address" in lines


@pytest.mark.slow
async def test_real_npm_server_fetches_through_the_proxy(start_runner: Callable[..., Any], tmp_path: Path) -> None:
    """From the real registry, as anybody would host it: its tool gets an address with Node.js' own fetch."""
    built = await asyncio.to_thread(
        environments.build, parse("npm:@modelcontextprotocol/server-everything"), tmp_path / "store", _silent
    )
    async with web(tmp_path, "127.77.0.1", 0, "127.77.0.1") as peer:
        authority = tmp_path / "authority.pem"
        authority.write_text(peer.authority)
        driver: Driver = await start_runner(more=("--networks", "127.77.0.0/16", "--ports", str(peer.port)))
        env = {**built.env, "NODE_EXTRA_CA_CERTS": str(authority)}
        read_only = [*built.read_only, str(authority)]
        egress = Egress("public")
        await driver.link.ask(c.Place(placement(argv=built.argv, env=env, read_only=read_only, egress=egress)))
        await driver.session()

        async def get(url: str) -> dict[str, Any]:
            arguments = {"name": "it.gz", "data": url, "outputType": "resource"}
            event = await driver.open(session="s1", tool="gzip-file-as-resource", arguments=arguments).outcome()
            result: dict[str, Any] = msgspec.json.decode(event.data)
            return result

        found = await get(f"https://127.77.0.1:{peer.port}/")
        assert gzip.decompress(base64.b64decode(found["content"][0]["resource"]["blob"])) == b"hello"
        assert len(peer.seen) == 1
        refused = await get("https://169.254.169.254/")
        assert refused["isError"], refused
        said = {f"egress: connected to 127.77.0.1:{peer.port}", "egress: refused 169.254.169.254:443: metadata address"}

        async def are_told() -> bool:
            return said <= {one.line for one in (await driver.link.ask(c.GetTail("d1"))).lines}

        await until(are_told)


def _silent(text: str, part: object) -> None:
    pass
