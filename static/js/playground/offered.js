// Resources, their templates and prompts: a panel for each, with a form of text fields and one button.

import { gettext } from "../gettext.js";
import { asking, completingField } from "./completing.js";
import { badge, el } from "./dom.js";
import { Run } from "./run.js";
import { expand, variables } from "./template.js";
import { octets, visible } from "./words.js";

// `fields`: of completingField. `send(values, on)` -> result.
function panel({ name, title, about, facts = [], fields = [], verb, send, context, starts }) {
  const run = new Run(context);
  const none = fields.length ? [] : { hidden: true };
  const button = el("button", { class: "button button-primary" }, verb);
  const form = el(
    "form",
    { class: "stack", novalidate: true },
    el(
      "div",
      { class: "form", ...none },
      fields.map(({ element }) => element),
    ),
    el("div", { class: "button-group" }, button),
  );
  const begin = () =>
    run.start(visible(name), (on) => send(Object.fromEntries(fields.map((field) => [field.name, field.input.value])), on));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const missing = fields.find(({ input }) => input.getAttribute("aria-required") && !input.value);
    for (const { input } of fields) input.toggleAttribute("aria-invalid", false);
    if (!missing) return void begin();
    missing.input.setAttribute("aria-invalid", "true");
    missing.input.focus();
    context.announce(gettext("This is needed."));
  });
  if (starts) begin();
  return el(
    "div",
    { class: "stack" },
    el("div", { class: "row" }, el("h2", { class: "mono break", tabindex: "-1" }, visible(name)), facts),
    title && title !== name ? el("p", {}, visible(title)) : [],
    about ? el("p", { class: "playground-description" }, visible(about)) : [],
    form,
    run.element,
  );
}

const read = (connection, uri, on) => connection.request("resources/read", { uri }, on);

// `starts`: it is read at once, since somebody followed a link to it.
export function resourcePanel(connection, { uri, title, name, description, mimeType, size }, context, starts = false) {
  const facts = [mimeType && badge(visible(mimeType)), Number.isFinite(size) && badge(octets(size))].filter(Boolean);
  return panel({
    name: uri,
    title: title ?? name,
    about: description,
    facts,
    verb: gettext("Read"),
    send: (_, on) => read(connection, uri, on),
    context,
    starts,
  });
}

export function templatePanel(connection, { uriTemplate, title, name, description, mimeType }, context) {
  const ref = { type: "ref/resource", uri: uriTemplate };
  const fields = variables(uriTemplate).map((each) =>
    completingField({ name: each, isRequired: true, ask: asking(connection, ref, each, () => fields) }),
  );
  const facts = mimeType ? [badge(visible(mimeType))] : [];
  const send = (values, on) => read(connection, expand(uriTemplate, values), on);
  return panel({ name: uriTemplate, title: title ?? name, about: description, facts, fields, verb: gettext("Read"), send, context });
}

export function promptPanel(connection, { name, title, description, arguments: wanted }, context) {
  const ref = { type: "ref/prompt", name };
  const fields = (Array.isArray(wanted) ? wanted : []).map((each) =>
    completingField({
      name: each.name,
      title: each.title,
      about: each.description,
      isRequired: each.required === true,
      ask: asking(connection, ref, each.name, () => fields),
    }),
  );
  const send = (values, on) => {
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
    return connection.request("prompts/get", { name, arguments: given }, on);
  };
  return panel({ name, title, about: description, fields, verb: gettext("Get"), send, context });
}
