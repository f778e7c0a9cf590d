// A text field whose words the server completes (server/utilities/completion), as suggestions of the browser's own list.

import { gettext } from "../gettext.js";
import { el, freshId } from "./dom.js";
import { visible } from "./words.js";

const PAUSE_MS = 250;

// `ask(value)` -> [suggestion, …] or raises, which suggests nothing. Null for a server without completion.
export function completingField({ name, title, about, isRequired, ask }) {
  const id = freshId("playground-completing");
  const list = el("datalist", { id: `${id}-list` });
  const more = ask ? { list: list.id } : {};
  const input = el("input", {
    id,
    type: "text",
    autocomplete: "off",
    "aria-describedby": `${id}-help`,
    "aria-required": isRequired ? "true" : undefined,
    ...more,
  });
  let asked = 0;

  async function suggest() {
    const mine = ++asked;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (mine !== asked) return;
    const found = await ask(input.value).catch(() => []);
    if (mine === asked) list.replaceChildren(...found.map((value) => el("option", { value })));
  }
  if (ask) {
    input.addEventListener("input", suggest);
    input.addEventListener("focus", suggest, { once: true });
  }
  const label = el(
    "label",
    { for: id },
    visible(title ?? name),
    isRequired ? [] : el("span", { class: "field-optional" }, ` ${gettext("(optional)")}`),
  );
  const help = el("p", { class: "field-help", id: `${id}-help` }, visible(about ?? ""));
  return { name, input, element: el("div", { class: "field" }, label, input, list, help) };
}

// What completes an argument of `ref` on this connection; `fields` are all of them, whose values are its context.
export function asking(connection, ref, name, fields) {
  if (!connection.has("completions")) return null;
  return async (value) => {
    const others = fields().filter((field) => field.name !== name && field.input.value);
    const context = { arguments: Object.fromEntries(others.map((field) => [field.name, field.input.value])) };
    const params = { ref, argument: { name, value }, ...(others.length ? { context } : {}) };
    const { completion } = await connection.request("completion/complete", params);
    return (completion?.values ?? []).slice(0, 100).map(String);
  };
}
