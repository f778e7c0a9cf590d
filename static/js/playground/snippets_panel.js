// The call that the form stands for, as code: made anew whenever it is opened or another language is chosen.

import { gettext } from "../gettext.js";
import { code, el, freshId } from "./dom.js";
import { mirrored } from "./headers.js";
import { curl, python, typescript } from "./snippets.js";

const LANGUAGES = ["curl", "Python", "TypeScript"];

// `values()` -> what is filled in now.
export function snippetsPanel(address, tool, values) {
  const group = freshId("playground-code");
  const shown = el("div");
  const radios = LANGUAGES.map((name, i) =>
    el("input", { type: "radio", name: group, id: `${group}-${i}`, value: name, checked: i === 0 }),
  );
  const labels = radios.map((radio) => [radio, el("label", { for: radio.id }, radio.value)]);
  const tabs = el("div", { class: "tabs-row scroll-row", role: "radiogroup", "aria-label": gettext("Language") }, labels);
  const note = el("p", { class: "small muted" }, gettext("The token goes into the variable SLIPWAY_TOKEN; make one on the page Access."));
  const details = el(
    "details",
    { class: "playground-code" },
    el("summary", { class: "small muted" }, gettext("This call as code")),
    el("div", { class: "stack" }, tabs, shown, note),
  );

  function show() {
    const language = radios.find(({ checked }) => checked).value;
    const params = { name: tool.name, arguments: values() };
    const headers = mirrored("2026-07-28", "tools/call", params, tool.inputSchema);
    const text = {
      curl: () => curl(address, params, headers),
      Python: () => python(address, params),
      TypeScript: () => typescript(address, params),
    }[language]();
    shown.replaceChildren(code(text, language, { wraps: false }));
  }
  details.addEventListener("toggle", () => details.open && show());
  tabs.addEventListener("change", show);
  return details;
}
