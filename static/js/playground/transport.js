// HTTP to the endpoint, of both eras: one POST or GET in, messages out, each of them noted in the trace.

import { gettext, interpolate } from "../gettext.js";
import { Broken, lost, Refused, whole } from "./refusals.js";
import { events } from "./sse.js";

const ACCEPT = "application/json, text/event-stream";

export class Transport {
  constructor(path, tokens, trace) {
    this.path = path;
    this.tokens = tokens;
    this.trace = trace;
  }

  // Sends one message. Returns { headers, messages } where `messages` yields { message, id, retry } as they come.
  async post(message, { headers = {}, signal } = {}) {
    const began = this.trace.sent(message);
    const sent = { method: "POST", body: JSON.stringify(message), signal };
    const answer = await this.#fetch(sent, { ...headers, "Content-Type": "application/json", Accept: ACCEPT });
    if (answer.status === 202) return { headers: answer.headers, messages: [] };
    return { headers: answer.headers, messages: this.#read(answer, began), status: answer.status };
  }

  // Opens a stream, after the event `last` where one broke off. Null where the server has none.
  async listen({ headers = {}, last = "", signal } = {}) {
    const more = last ? { "Last-Event-ID": last } : {};
    const answer = await this.#fetch({ method: "GET", signal }, { ...headers, ...more, Accept: "text/event-stream" });
    return answer.ok ? this.#read(answer) : null;
  }

  async end(headers) {
    await this.#fetch({ method: "DELETE", keepalive: true }, headers);
  }

  // A token may have been revoked or have ended while the page was asleep: one more try with a fresh one.
  async #fetch(request, headers) {
    for (const isAgain of [false, true]) {
      const token = await this.tokens.get(isAgain);
      const all = { ...headers, Authorization: `Bearer ${token}` };
      const sent = fetch(this.path, { ...request, headers: all, credentials: "omit", cache: "no-store" });
      const answer = await sent.catch((error) => {
        if (error.name === "AbortError") throw error;
        throw new Broken(gettext("The site can't be reached. Check the connection, and try again."));
      });
      if (answer.status !== 401 || isAgain) return answer;
    }
  }

  async *#read(answer, began) {
    const type = answer.headers.get("Content-Type") ?? "";
    if (type.startsWith("text/event-stream")) {
      for await (const { id, data, retry } of whole(events(answer.body))) {
        yield { id, retry, message: data ? this.#message(data, began) : null };
      }
      return;
    }
    const text = await answer.text().catch(lost);
    if (!type.startsWith("application/json")) {
      const words = interpolate(gettext("The site answered %(status)s. Try again in a moment."), { status: answer.status });
      this.trace.noted(words, began);
      throw new Refused(words, answer.status);
    }
    yield { id: "", message: this.#message(text, began), status: answer.status };
  }

  #message(text, began) {
    const message = JSON.parse(text);
    this.trace.received(message, began, text.length);
    return message;
  }
}
