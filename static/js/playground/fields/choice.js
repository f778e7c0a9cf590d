// One of several, yes or no, what is fixed, and some of several.

import { gettext } from "../../gettext.js";
import { el } from "../dom.js";
import { options } from "../schema.js";
import { same } from "../validate.js";
import { visible } from "../words.js";
import { framed } from "./frame.js";

const none = () => [];
const NOT_SET = gettext("Not set");

function select(spec, entries, initial) {
  const chosen = entries.findIndex(({ value }) => same(value, initial));
  const isOpen = !spec.isRequired || chosen < 0;
  const list = entries.map(({ label, help }, i) =>
    el("option", { value: i, selected: i === chosen, title: help }, visible(label)),
  );
  const control = el("select", {}, isOpen ? el("option", { value: "" }, spec.isRequired ? gettext("Choose…") : NOT_SET) : [], list);
  const { element, mark } = framed(spec, control);
  return { element, mark, problems: none, read: () => (control.value === "" ? undefined : entries[Number(control.value)].value) };
}

export const choiceField = (spec) => select(spec, options(spec.schema), spec.initial);

// Two buttons would not tell "no" from "not said", which a tool may.
export function yesNoField(spec) {
  const entries = [
    { value: true, label: gettext("Yes (true)") },
    { value: false, label: gettext("No (false)") },
  ];
  return select(spec, entries, spec.initial ?? (spec.isRequired ? false : undefined));
}

export function constantField(spec) {
  const value = Object.hasOwn(spec.schema, "const") ? spec.schema.const : null;
  const control = el("input", { type: "text", readonly: true, value: visible(JSON.stringify(value)), class: "mono" });
  return { ...framed({ ...spec, isRequired: true }, control), problems: none, read: () => value };
}

export function severalField(spec) {
  const entries = options(spec.items);
  const initial = Array.isArray(spec.initial) ? spec.initial : [];
  const boxes = entries.map(({ value }) => el("input", { type: "checkbox", checked: initial.some((one) => same(one, value)) }));
  const labels = entries.map(({ label }, i) => el("label", {}, boxes[i], visible(label)));
  const { element, mark } = framed(spec, el("fieldset", {}, labels), { isGroup: true });
  const read = () => {
    const found = entries.filter((_, i) => boxes[i].checked).map(({ value }) => value);
    return found.length || spec.isRequired ? found : undefined;
  };
  return { element, mark, problems: none, read };
}
