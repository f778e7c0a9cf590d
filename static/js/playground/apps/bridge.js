// JSON-RPC with an app in a frame, by postMessage (MCP Apps, 2026-01-26, "Transport Layer"). A sandboxed frame has no
// origin, so who speaks is known by its window alone; whatever comes from elsewhere is not heard.

export const DENIED = -32000; // "denied or failed"
const METHOD_NOT_FOUND = -32601;
const TEARDOWN_MS = 500;

export class Denied extends Error {
  constructor(message, code = DENIED) {
    super(message);
    this.code = code;
  }
}

export class Bridge {
  #teardown = null;

  // `requests` and `notifications`: functions of params, by method.
  constructor(frame, requests, notifications) {
    this.frame = frame;
    this.requests = requests;
    this.notifications = notifications;
    this.hear = (event) => this.#heard(event);
    addEventListener("message", this.hear);
  }

  notify(method, params) {
    this.#send({ method, params });
  }

  // Tells the app that it ends, waits a moment for it, and hears no more of it.
  async end(reason) {
    const isOver = new Promise((resolve) => (this.#teardown = resolve));
    this.#send({ id: "teardown", method: "ui/resource-teardown", params: { reason } });
    await Promise.race([isOver, new Promise((resolve) => setTimeout(resolve, TEARDOWN_MS))]);
    removeEventListener("message", this.hear);
  }

  async #heard({ source, origin, data }) {
    if (source === null || source !== this.frame.contentWindow || origin !== "null") return;
    if (data === null || typeof data !== "object" || data.jsonrpc !== "2.0") return;
    const { id, method, params } = data;
    if (typeof method !== "string") return id === "teardown" ? this.#teardown?.() : undefined;
    if (id === undefined) return Object.hasOwn(this.notifications, method) ? this.notifications[method](params ?? {}) : undefined;
    this.#send({ id, ...(await this.#answer(method, params ?? {})) });
  }

  async #answer(method, params) {
    try {
      if (!Object.hasOwn(this.requests, method)) throw new Denied(`The Playground does not answer ${method}.`, METHOD_NOT_FOUND);
      return { result: await this.requests[method](params) };
    } catch (error) {
      return { error: { code: error.code ?? DENIED, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) } };
    }
  }

  // To nobody's origin: only the frame's own window gets it, and nothing else can come to be in it (frame-src).
  #send(message) {
    this.frame.contentWindow?.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }
}
