// Loaded into the suite's process by `node --import`: the suite has no option for a request header, so every HTTP
// request it makes to the server under test gets one here. Nothing stands between the suite and the server that way;
// Host, Origin, streaming and disconnections are the suite's own.
import http from "node:http";
import { createRequire, syncBuiltinESMExports } from "node:module";

const header = `Bearer ${process.env.CONFORMANCE_TOKEN}`;
const target = new URL(process.env.CONFORMANCE_URL);

const isTarget = (url) => {
  const { origin, pathname } = new URL(url);
  return origin === target.origin && pathname === target.pathname;
};

const withHeader = (options) => ({ ...options, headers: { authorization: header, ...options.headers } });

const plainFetch = globalThis.fetch;
globalThis.fetch = (input, init = {}) => {
  const url = input instanceof Request ? input.url : String(input);
  if (!isTarget(url)) return plainFetch(input, init);
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
  if (!headers.has("authorization")) headers.set("authorization", header);
  return plainFetch(input, { ...init, headers });
};

// The scenario about DNS rebinding sends its Host header with undici's request, because fetch would not let it.
const undici = createRequire(process.argv[1])("undici");
const plainUndici = undici.request;
undici.request = (url, options = {}, ...rest) => plainUndici(url, isTarget(url) ? withHeader(options) : options, ...rest);

// The scenarios about headers use node:http, which keeps the case of names and the blanks around values.
const plainHttp = http.request;
http.request = (first, ...rest) => {
  if (typeof first !== "string" && !(first instanceof URL)) {
    const { hostname, host, port, path = "/" } = first;
    const named = hostname ?? String(host).replace(/:\d+$/, "");
    return plainHttp(isTarget(`http://${named}:${port ?? 80}${path}`) ? withHeader(first) : first, ...rest);
  }
  const [options, ...callback] = typeof rest[0] === "function" ? [{}, ...rest] : rest;
  return plainHttp(first, isTarget(first) ? withHeader(options ?? {}) : options, ...callback);
};
syncBuiltinESMExports();
