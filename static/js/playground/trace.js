// What went over the wire, with when and how long: kept here, shown by trace_panel.js. Tokens never get in.

const KEPT = 500;

export class Trace extends EventTarget {
  entries = [];

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
    this.dispatchEvent(new Event("clear"));
  }

  #add(entry) {
    entry.at = new Date();
    this.entries.push(entry);
    if (this.entries.length > KEPT) this.entries.shift();
    this.dispatchEvent(new CustomEvent("entry", { detail: entry }));
  }
}

// request, notification, result or error (JSON-RPC 2.0, sections 4 and 5).
export function kindOf(message) {
  if (message?.method !== undefined) return message.id === undefined ? "notification" : "request";
  return message?.error !== undefined ? "error" : "result";
}
