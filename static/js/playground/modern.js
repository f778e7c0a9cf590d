// A client of 2026-07-28: each request says all that it needs, and a question is a result that asks to come back.

import { gettext } from "../gettext.js";
import { mirrored } from "./headers.js";
import { outcome, Refused } from "./refusals.js";

export const REVISION = "2026-07-28";
const META = "io.modelcontextprotocol/";
const ROUNDS = 50; // of questions in one call; more is a server that never ends asking

export class ModernClient {
  #next = 1;

  // `hooks` as of LegacyClient.
  constructor(transport, hooks) {
    this.transport = transport;
    this.hooks = hooks;
  }

  connect() {
    return this.request("server/discover");
  }

  // Returns the result. `on`: { progress(params), log(params), signal, schema of the called tool, extensions }.
  async request(method, params = {}, on = {}) {
    let answers = {};
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, on.signal].filter(Boolean));
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const result = await this.#once(method, { ...params, ...answers }, on);
        if (result?.resultType !== "input_required") return result;
        answers = await this.answered(result, signal);
      }
    } finally {
      over.abort(); // what is said of its questions is off the page
    }
    throw new Refused(gettext("The server asked again and again, and was left."));
  }

  close() {}

  // What goes into the next request after an InputRequiredResult (basic/patterns/mrtr).
  async answered({ inputRequests = {}, requestState }, signal = new AbortController().signal) {
    const inputResponses = {};
    for (const [key, { method, params }] of Object.entries(inputRequests)) {
      inputResponses[key] = await this.hooks.answer(method, params ?? {}, signal);
    }
    return { inputResponses, ...(requestState === undefined ? {} : { requestState }) };
  }

  async #once(method, params, on) {
    const id = this.#next++;
    const message = { jsonrpc: "2.0", id, method, params: { ...params, _meta: this.#meta(id, params._meta, on) } };
    const headers = mirrored(REVISION, method, params, on.schema);
    const { messages } = await this.transport.post(message, { headers, signal: on.signal });
    for await (const { message: heard } of messages) {
      if (!heard) continue;
      if (heard.method === undefined) return outcome(heard);
      if (heard.method === "notifications/progress" && on.progress) on.progress(heard.params);
      else if (heard.method === "notifications/message" && on.log) on.log(heard.params);
      else this.hooks.heard(heard);
    }
    throw new Refused(gettext("The connection broke off before there was an answer, which cancels the call."));
  }

  #meta(id, more, on) {
    const { capabilities, clientInfo } = this.hooks;
    return {
      ...more,
      [`${META}protocolVersion`]: REVISION,
      [`${META}clientInfo`]: clientInfo,
      [`${META}clientCapabilities`]: { ...capabilities, extensions: { ...capabilities.extensions, ...on.extensions } },
      ...(on.log ? { [`${META}logLevel`]: "debug" } : {}),
      ...(on.progress ? { progressToken: id } : {}),
    };
  }
}
