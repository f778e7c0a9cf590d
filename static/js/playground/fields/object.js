// An object: its members' fields. One that may be left out is behind a box, and made once that is ticked, since a schema
// may go on within itself without end.

import { gettext } from "../../gettext.js";
import { el } from "../dom.js";
import { framed } from "./frame.js";
import { markMembers, under } from "./members.js";

// Not what every object has by itself, such as its constructor.
const own = (value, name) => (value !== null && typeof value === "object" && Object.hasOwn(value, name) ? value[name] : undefined);

export function objectField(spec) {
  const { schema, isRequired, initial } = spec;
  const body = el("div", { class: "playground-members" });
  const fields = new Map();
  const box = el("input", { type: "checkbox", checked: initial !== undefined });
  const isSet = () => isRequired || box.checked;

  function show() {
    body.hidden = !isSet();
    if (isSet() && !fields.size) fill();
  }

  function fill() {
    const needed = schema.required ?? [];
    for (const [name, part] of Object.entries(schema.properties)) {
      const more = { name, isRequired: needed.includes(name), initial: own(initial, name), depth: spec.depth + 1 };
      const child = spec.make({ schema: part, root: spec.root, ...more });
      fields.set(name, child);
      body.append(child.element);
    }
  }

  box.addEventListener("change", show);
  show();
  const isWhole = spec.depth === 0; // all of the form: it needs no name and no frame
  const group = () => el("fieldset", {}, isRequired ? [] : el("label", { class: "playground-set" }, box, gettext("Set it")), body);
  const { element, mark } = isWhole ? { element: body, mark: () => null } : framed(spec, group(), { isGroup: true });

  return {
    element,
    read: () => {
      if (!isSet()) return undefined;
      const members = [...fields].map(([name, child]) => [name, child.read()]);
      return Object.fromEntries(members.filter(([, value]) => value !== undefined));
    },
    problems: () => (isSet() ? [...fields].flatMap(([name, child]) => under(name, child.problems())) : []),
    mark: (found) => markMembers(found, fields, mark),
  };
}
