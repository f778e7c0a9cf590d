// What a client of 2026-07-28 mirrors from a body into headers (basic/transports/streamable-http, "Request Metadata").
// Pure. The server's side of the same is hosting/runner/mirrored.py.

const NAMED = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};
const SAFE = /^[\x20-\x7e]*$/;
const SENTINEL = /^=\?base64\?.*\?=$/s;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/; // RFC 9110, 5.6.2

// A value as it may stand in a header, in base64 where it could not stand there plainly ("Value Encoding").
export function encoded(value) {
  if (SAFE.test(value) && value === value.trim() && !SENTINEL.test(value)) return value;
  const octets = new TextEncoder().encode(value);
  return `=?base64?${btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""))}?=`;
}

// The headers of one request. `schema`: the called tool's inputSchema.
export function mirrored(revision, method, params, schema) {
  const headers = { "MCP-Protocol-Version": revision, "Mcp-Method": method };
  if (NAMED[method]) headers["Mcp-Name"] = encoded(String(params[NAMED[method]]));
  if (method !== "tools/call") return headers;
  for (const [name, value] of annotated(schema, params.arguments)) headers[`Mcp-Param-${name}`] = value;
  return headers;
}

// Arguments with `x-mcp-header`, reached by property names alone; a missing or null one has no header.
function* annotated(schema, value) {
  for (const [key, part] of Object.entries(schema?.properties ?? {})) {
    const given = value?.[key];
    const name = part?.["x-mcp-header"];
    if (typeof name === "string" && TOKEN.test(name) && ["string", "boolean", "number"].includes(typeof given)) {
      yield [name, encoded(String(given))];
    }
    if (typeof part === "object" && typeof given === "object") yield* annotated(part, given);
  }
}
