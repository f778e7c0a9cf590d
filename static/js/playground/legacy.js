// A client of 2025-11-25: a handshake, a session, and questions that come as requests on the streams.

import { gettext } from "../gettext.js";
import { channel, resumed } from "./resuming.js";
import { outcome, Refused } from "./refusals.js";

export const REVISION = "2025-11-25";
const METHOD_NOT_FOUND = -32601;
const GONE = 404; // basic/transports, "Session Management": the client begins anew

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
    this.#session = "";
    const greeting = await this.request("initialize", { protocolVersion: REVISION, capabilities, clientInfo });
    await this.#post({ method: "notifications/initialized" });
    this.#hear();
    return greeting;
  }

  // Returns the result. `on`: { progress(params), log(params), signal }. Raises Failure and Refused.
  async request(method, params = {}, on = {}) {
    return (await this.#exchange(method, params, on)) ?? (await this.connect(), this.#exchange(method, params, on));
  }

  // Returns null where the session was over before the request came, so that a new one has to be begun.
  async #exchange(method, params, on) {
    const id = this.#next++;
    const whole = on.progress ? { ...params, _meta: { ...params._meta, progressToken: id } } : params;
    const stop = new AbortController();
    const cancel = () => {
      this.#post({ method: "notifications/cancelled", params: { requestId: id } }).catch(() => {});
      stop.abort();
    };
    on.signal?.addEventListener("abort", cancel, { once: true });
    try {
      const { headers, messages, status } = await this.#post({ id, method, params: whole }, stop.signal);
      if (status === GONE && this.#session) return null;
      if (method === "initialize") this.#session = headers.get("Mcp-Session-Id") ?? "";
      for await (const message of resumed(this.transport, messages, this.#headers(), stop.signal)) {
        if (message.method === undefined && (message.id === id || message.id === null)) return outcome(message);
        this.#take(message, on, stop.signal);
      }
    } finally {
      on.signal?.removeEventListener("abort", cancel);
      stop.abort(); // what it asked and nobody answered is off the page
    }
    throw new Refused(gettext("The connection broke off before there was an answer. What the call did is not known."));
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
