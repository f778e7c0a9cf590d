// A client of 2025-11-25: a handshake, a session, and questions that come as requests on the streams.

import { channel, resumed } from "./resuming.js";
import { Failure, Refused } from "./transport.js";

export const REVISION = "2025-11-25";
const METHOD_NOT_FOUND = -32601;

export class LegacyClient {
  #next = 1;
  #session = "";
  #end = new AbortController();

  // `hooks`: { capabilities, clientInfo, answer(method, params, signal) -> result, heard(notification) }
  constructor(transport, hooks) {
    this.transport = transport;
    this.hooks = hooks;
  }

  async connect() {
    const { capabilities, clientInfo } = this.hooks;
    const params = { protocolVersion: REVISION, capabilities, clientInfo };
    const greeting = await this.request("initialize", params);
    await this.#post({ method: "notifications/initialized" });
    this.#hear();
    return greeting;
  }

  // Returns the result. `on`: { progress(params), log(params), signal }. Raises Failure and Refused.
  async request(method, params = {}, on = {}) {
    const id = this.#next++;
    const withToken = on.progress ? { ...params, _meta: { ...params._meta, progressToken: id } } : params;
    const stop = new AbortController();
    const cancel = () => {
      this.#post({ method: "notifications/cancelled", params: { requestId: id } }).catch(() => {});
      stop.abort();
    };
    on.signal?.addEventListener("abort", cancel);
    try {
      const { headers, messages } = await this.#post({ id, method, params: withToken }, stop.signal);
      if (method === "initialize") this.#session = headers.get("Mcp-Session-Id") ?? "";
      for await (const message of resumed(this.transport, messages, this.#headers(), stop.signal)) {
        if (message.method === undefined && (message.id === id || message.id === null)) return outcome(message);
        this.#take(message, on, stop.signal);
      }
    } finally {
      on.signal?.removeEventListener("abort", cancel);
    }
    throw new Refused("The connection broke off before there was an answer. What the call did is not known.");
  }

  close() {
    this.#end.abort();
    if (this.#session) this.transport.end(this.#headers()).catch(() => {});
  }

  #take(message, on, signal) {
    const { method, params } = message;
    if (message.id !== undefined) this.#answer(message, signal);
    else if (method === "notifications/progress" && on.progress) on.progress(params);
    else if (method === "notifications/message" && on.log) on.log(params);
    else this.hooks.heard(message);
  }

  async #answer({ id, method, params }, signal) {
    let said;
    try {
      said = { result: method === "ping" ? {} : await this.hooks.answer(method, params ?? {}, signal) };
    } catch (error) {
      if (signal.aborted) return; // its call is over
      said = { error: { code: error.code ?? METHOD_NOT_FOUND, message: error.message } };
    }
    await this.#post({ id, ...said }).catch(() => {});
  }

  async #hear() {
    const { signal } = this.#end;
    for await (const message of channel(this.transport, this.#headers(), signal)) this.#take(message, {}, signal);
  }

  #headers() {
    return this.#session ? { "Mcp-Session-Id": this.#session, "MCP-Protocol-Version": REVISION } : {};
  }

  #post(message, signal) {
    return this.transport.post({ jsonrpc: "2.0", ...message }, { headers: this.#headers(), signal });
  }
}

export function outcome(message) {
  if (message.error !== undefined) throw new Failure(message.error);
  return message.result;
}
