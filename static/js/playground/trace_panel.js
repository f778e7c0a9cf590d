// The trace as people read it: a line for each message, the message itself when it is opened.

import { gettext } from "../gettext.js";
import { code, el } from "./dom.js";
import { milliseconds, octets, pretty, visible } from "./words.js";

const SHOWN = 200;
// Kinds of messages as JSON-RPC has them (2.0, sections 4 and 5).
const KINDS = {
  request: gettext("request"),
  notification: gettext("notification"),
  result: gettext("result"),
  error: gettext("error"),
};
const time = (at) => at.toISOString().slice(11, 23);

function line(entry) {
  const direction = entry.isOut ? gettext("sent") : gettext("received");
  const facts = [entry.took !== undefined && milliseconds(entry.took), entry.size && octets(entry.size)].filter(Boolean);
  const summary = el(
    "summary",
    { class: `playground-line playground-${entry.kind}` },
    el("time", { class: "muted", datetime: entry.at.toISOString() }, time(entry.at)),
    el("span", { class: "playground-arrow" }, entry.isOut ? "→" : "←", el("span", { class: "visually-hidden" }, ` ${direction}`)),
    el("span", { class: "playground-kind" }, KINDS[entry.kind]),
    el(
      "span",
      { class: "break" },
      visible(entry.name),
      entry.id === undefined ? "" : el("span", { class: "muted" }, ` #${visible(entry.id)}`),
    ),
    el("span", { class: "muted playground-facts" }, facts.join(" · ")),
  );
  const details = el("details", {}, summary);
  const open = () => details.append(code(pretty(entry.message ?? entry.name), `${KINDS[entry.kind]} ${entry.name}`));
  details.addEventListener("toggle", open, { once: true });
  return el("li", {}, details);
}

// Fills the parts of the page: `list`, `count` and the button `clear`.
export function followTrace(trace, { list, count, clear }) {
  const tell = () => (count.textContent = String(trace.entries.length));
  trace.addEventListener("entry", ({ detail }) => {
    list.append(line(detail));
    if (list.childElementCount > SHOWN) list.firstElementChild.remove();
    tell();
  });
  trace.addEventListener("clear", () => {
    list.replaceChildren();
    tell();
  });
  clear.addEventListener("click", () => trace.clear());
}
