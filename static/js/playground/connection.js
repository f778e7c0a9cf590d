// The client of this page: which revision it speaks, whom it reached, and what it may ask there.

import * as legacy from "./legacy.js";
import * as modern from "./modern.js";
import { Refused } from "./transport.js";

export const CLIENT = { name: "slipway-playground", title: "Slipway Playground", version: "1" };
const CLIENTS = { [legacy.REVISION]: legacy.LegacyClient, [modern.REVISION]: modern.ModernClient };
const PAGES = 50; // of one list

export class Connection {
  greeting = null;

  // `hooks`: { capabilities, answer, heard } as of LegacyClient.
  constructor(transport, revision, hooks) {
    this.revision = revision;
    this.client = new CLIENTS[revision](transport, { ...hooks, clientInfo: CLIENT });
  }

  async connect() {
    this.greeting = await this.client.connect();
  }

  close() {
    this.client.close();
  }

  get server() {
    const info = this.greeting?.serverInfo ?? this.greeting?._meta?.["io.modelcontextprotocol/serverInfo"] ?? {};
    return [info.title ?? info.name, info.version].filter(Boolean).join(" ");
  }

  has(capability) {
    return this.greeting?.capabilities?.[capability] !== undefined;
  }

  // All pages of a list, such as ("tools/list", "tools").
  async list(method, member) {
    const found = [];
    let cursor;
    for (let page = 0; page < PAGES; page += 1) {
      const result = await this.client.request(method, cursor === undefined ? {} : { cursor });
      if (Array.isArray(result?.[member])) found.push(...result[member]);
      cursor = result?.nextCursor;
      if (cursor === undefined || cursor === null) return found;
    }
    throw new Refused(`${method} had more than ${PAGES} pages.`);
  }

  call(tool, values, on) {
    return this.client.request("tools/call", { name: tool.name, arguments: values }, { ...on, schema: tool.inputSchema });
  }
}
