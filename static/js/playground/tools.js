// The tools of a server: a list to choose from, and the chosen one with its form.

import { gettext } from "../gettext.js";
import { Arguments } from "./arguments.js";
import { badge, button, el, icon } from "./dom.js";
import { addressOf } from "./apps/keep.js";
import { Run } from "./run.js";
import { snippetsPanel } from "./snippets_panel.js";
import { hasInvisible, visible } from "./words.js";

const HINTS = [
  ["readOnlyHint", true, gettext("read-only"), "", ""],
  ["destructiveHint", true, gettext("may destroy"), "warn", "triangle-alert"],
  ["idempotentHint", true, gettext("idempotent"), "", ""],
  ["openWorldHint", true, gettext("reaches outside"), "", "globe"],
];

function badges(tool) {
  const hints = tool.annotations ?? {};
  const told = HINTS.filter(([name, value]) => hints[name] === value && !(name === "destructiveHint" && hints.readOnlyHint));
  const found = told.map(([, , words, tone, sign]) => badge(words, tone, sign));
  const support = tool.execution?.taskSupport;
  if (support === "required") found.push(badge(gettext("always a task"), "", "clock"));
  if (addressOf(tool)) found.push(badge(gettext("brings an app")));
  if (hasInvisible(JSON.stringify(tool))) found.push(badge(gettext("invisible characters"), "warn", "eye"));
  return found;
}

// The app that this tool brings for its result; null for most.
async function appOf(connection, tool, values, result, context) {
  const address = addressOf(tool);
  if (!address) return null;
  const { App } = await import("./apps/app.js");
  return new App(connection, { tool, address, values, result }, context);
}

// The chosen tool. `call(tool, arguments, on)` calls it, `callAsTask` may be null; `context` as Run wants it.
export function toolPanel(tool, { call, callAsTask, context, address, connection }) {
  const run = new Run(context);
  const given = new Arguments(tool.inputSchema ?? {});
  const name = visible(tool.name);
  const send = (how) => (values) => run.start(name, (on) => how(tool, values, on), (result) => appOf(connection, tool, values, result, context));
  const begin = (how) => {
    const values = given.read(send(how));
    if (values !== null) send(how)(values);
  };
  const isTask = callAsTask && tool.execution?.taskSupport !== "forbidden";
  const form = el(
    "form",
    { class: "stack", novalidate: true },
    given.element,
    el(
      "div",
      { class: "button-group" },
      el("button", { class: "button button-primary" }, icon("play"), gettext("Call")),
      isTask ? button([icon("clock"), gettext("Run as task")], () => begin(callAsTask)) : [],
      given.switch,
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(call);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  const title = tool.title ?? tool.annotations?.title;
  return el(
    "div",
    { class: "stack" },
    el("div", { class: "row" }, el("h2", { class: "mono break", tabindex: "-1" }, name), badges(tool)),
    title ? el("p", {}, visible(title)) : [],
    tool.description ? el("p", { class: "playground-description" }, visible(tool.description)) : [],
    form,
    run.element,
    snippetsPanel(address, tool, () => given.value()),
  );
}
