// One of several shapes: which one is chosen first, and its field follows.

import { gettext, interpolate } from "../../gettext.js";
import { el } from "../dom.js";
import { branches } from "../schema.js";
import { problems as problemsOf } from "../validate.js";
import { visible } from "../words.js";
import { framed } from "./frame.js";

const TYPES = {
  string: gettext("Text"),
  number: gettext("Number"),
  integer: gettext("Whole number"),
  boolean: gettext("Yes or no"),
  array: gettext("List"),
  object: gettext("Object"),
  null: gettext("Nothing (null)"),
};

function nameOf(way, i) {
  if (typeof way.title === "string") return way.title;
  const tag = Object.values(way.properties ?? {}).find((part) => part && Object.hasOwn(part, "const"));
  if (tag) return String(tag.const);
  return way.format ? `${TYPES[way.type] ?? ""} (${way.format})` : (TYPES[way.type] ?? interpolate(gettext("Way %(number)s"), { number: i + 1 }));
}

export function unionField(spec) {
  const ways = branches(spec.schema, spec.root);
  const { isRequired, initial } = spec;
  const fitting = initial === undefined ? -1 : ways.findIndex((way) => !problemsOf(initial, way, spec.root).length);
  const chosen = fitting >= 0 ? fitting : isRequired ? 0 : -1;
  const entries = ways.map((way, i) => el("option", { value: i, selected: i === chosen }, visible(nameOf(way, i))));
  const control = el("select", {}, isRequired ? [] : el("option", { value: "" }, gettext("Not set")), entries);
  const body = el("div", { class: "playground-way" });
  const { element, mark } = framed(spec, control, { more: [body] });
  let child = null;

  function choose(value) {
    const way = ways[control.value];
    if (control.value === "" || way.type === "null") {
      child = null;
      body.replaceChildren();
      return;
    }
    // An alternative may be a schema that forms know (an object), whose own frame repeats no label.
    child = spec.make({
      schema: { ...way, title: nameOf(way, Number(control.value)) },
      root: spec.root,
      name: "",
      isRequired: true,
      initial: value,
      depth: spec.depth + 1,
    });
    body.replaceChildren(child.element);
  }
  control.addEventListener("change", () => choose(undefined));
  choose(initial);

  return {
    element,
    read: () => {
      if (control.value === "") return undefined;
      return child === null ? null : child.read();
    },
    problems: () => child?.problems() ?? [],
    mark: (found) => {
      const own = mark(child === null ? found : []);
      return child?.mark(found) ?? own;
    },
  };
}
