// A call as code to take away: curl, Python, TypeScript. Pure. The token is named, never written.

const TOKEN = "SLIPWAY_TOKEN";
const json = (value) => JSON.stringify(value, null, 2);

// For a shell, between single quotes (POSIX shell, 2.2.2).
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

// Stateless, so that one request is all of it: servers of either revision answer it here.
export function curl(address, params, headers) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "curl", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...params, _meta: meta } };
  const mirrored = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  return [
    `curl ${quoted(address)}`,
    `-H "Authorization: Bearer $${TOKEN}"`,
    `-H 'Accept: application/json, text/event-stream'`,
    `-H 'Content-Type: application/json'`,
    ...mirrored,
    `-d ${quoted(json(body))}`,
  ].join(" \\\n  ");
}

// A value of JSON as Python writes it.
export function literal(value, indent = "") {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const isList = Array.isArray(value);
  const [open, close] = isList ? "[]" : "{}";
  const deeper = `${indent}    `;
  const parts = Object.entries(value).map(
    ([name, member]) => deeper + (isList ? "" : `${JSON.stringify(name)}: `) + literal(member, deeper),
  );
  return parts.length ? `${open}\n${parts.join(",\n")},\n${indent}${close}` : open + close;
}

export function python(address, { name, arguments: given }) {
  return `import asyncio, os
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL = ${JSON.stringify(address)}
HEADERS = {"Authorization": f"Bearer {os.environ['${TOKEN}']}"}
ARGUMENTS = ${literal(given)}

async def main() -> None:
    async with httpx2.AsyncClient(headers=HEADERS, timeout=60) as http:
        async with Client(streamable_http_client(URL, http_client=http)) as client:
            print(await client.call_tool(${JSON.stringify(name)}, ARGUMENTS))

asyncio.run(main())
`;
}

export function typescript(address, params) {
  return `import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const headers = { Authorization: \`Bearer \${process.env.${TOKEN}}\` };
const transport = new StreamableHTTPClientTransport(new URL(${JSON.stringify(address)}), { requestInit: { headers } });
const client = new Client({ name: "example", version: "1.0.0" });
await client.connect(transport);
console.log(await client.callTool(${json(params)}));
await client.close();
`;
}
