// What went over the wire, with when and how long: kept here, shown by trace_panel.js. Tokens never get in.

const KEPT = 500;
const KEPT_OCTETS = 32 * 1024 * 1024; // of what came

export class Trace extends EventTarget {
  entries = [];
  #octets = 0;

  // Notes what is sent. Returns a mark from which the time to its answers counts.
  sent(message) {
    this.#add({ isOut: true, message, kind: kindOf(message), name: message.method ?? "answer", id: message.id });
    return { at: performance.now(), name: message.method ?? "answer" };
  }

  received(message, began, size) {
    const kind = kindOf(message);
    const isAnswer = kind === "result" || kind === "error";
    const name = message.method ?? began?.name ?? "";
    const took = began && isAnswer ? performance.now() - began.at : undefined;
    this.#add({ isOut: false, message, kind, name, id: message.id, took, size });
  }

  // Something that is no message: a refusal of the site in words.
  noted(words, began) {
    this.#add({ isOut: false, kind: "error", name: words, took: began ? performance.now() - began.at : undefined });
  }

  clear() {
    this.entries = [];
    this.#octets = 0;
    this.dispatchEvent(new Event("clear"));
  }

  #add(entry) {
    entry.at = new Date();
    this.entries.push(entry);
    this.#octets += entry.size ?? 0;
    while (this.entries.length > KEPT || (this.#octets > KEPT_OCTETS && this.entries.length > 1)) {
      this.#octets -= this.entries.shift().size ?? 0;
    }
    this.dispatchEvent(new CustomEvent("entry", { detail: entry }));
  }
}

// request, notification, result or error (JSON-RPC 2.0, sections 4 and 5).
export function kindOf(message) {
  if (message?.method !== undefined) return message.id === undefined ? "notification" : "request";
  return message?.error !== undefined ? "error" : "result";
}
