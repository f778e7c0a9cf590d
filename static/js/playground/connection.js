// The client of this page: which revision it speaks, whom it reached, and what it may ask there.

import { gettext, interpolate } from "../gettext.js";
import * as legacy from "./legacy.js";
import * as modern from "./modern.js";
import { Refused } from "./refusals.js";

const APPS = { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } }; // SEP-1865
const CAPABILITIES = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {}, extensions: APPS };
const CLIENT = { name: "slipway-playground", title: "Slipway Playground", version: "1" };
const CLIENTS = { [legacy.REVISION]: legacy.LegacyClient, [modern.REVISION]: modern.ModernClient };
const PAGES = 50; // of one list

export class Connection {
  client = null;
  greeting = null;

  // `hooks`: { answer, heard } as of LegacyClient.
  constructor(transport, hooks) {
    this.transport = transport;
    this.hooks = { ...hooks, capabilities: CAPABILITIES, clientInfo: CLIENT };
  }

  // Begins anew, in the place of what there was. False where somebody began once more meanwhile.
  async open(revision) {
    this.close();
    const client = (this.client = new CLIENTS[revision](this.transport, this.hooks));
    try {
      const greeting = await client.connect();
      if (this.client !== client) return false;
      this.greeting = greeting;
    } catch (error) {
      if (this.client !== client) return false;
      throw error;
    }
    // 2025-11-25 server/utilities/logging: without it a server may choose what it tells. Later each request says it.
    if (revision === legacy.REVISION && this.has("logging")) {
      await client.request("logging/setLevel", { level: "debug" }).catch(() => {});
    }
    return this.client === client;
  }

  close() {
    this.client?.close();
    this.client = this.greeting = null;
  }

  get server() {
    const info = this.greeting?.serverInfo ?? this.greeting?._meta?.["io.modelcontextprotocol/serverInfo"] ?? {};
    return [info.title ?? info.name, info.version].filter(Boolean).join(" ") || "the server";
  }

  has(capability) {
    return this.greeting?.capabilities?.[capability] !== undefined;
  }

  request(method, params, on) {
    if (this.client === null) throw new Refused(gettext("It is not connected. Press Reconnect."));
    return this.client.request(method, params, on);
  }

  // All pages of a list, such as ("tools/list", "tools").
  async list(method, member) {
    const found = [];
    let cursor;
    for (let page = 0; page < PAGES; page += 1) {
      const result = await this.request(method, cursor === undefined ? {} : { cursor });
      const listed = Array.isArray(result?.[member]) ? result[member] : [];
      found.push(...listed.filter((one) => one !== null && typeof one === "object"));
      cursor = result?.nextCursor;
      if (cursor === undefined || cursor === null) return found;
    }
    throw new Refused(interpolate(gettext("%(method)s had more than %(count)s pages."), { method, count: PAGES }));
  }

  call(tool, values, on) {
    return this.request("tools/call", { name: tool.name, arguments: values }, { ...on, schema: tool.inputSchema });
  }
}
