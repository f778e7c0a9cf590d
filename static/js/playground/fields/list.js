// A list of fields of one kind: some to begin with, more by a button, each with one that removes it.

import { gettext, interpolate } from "../../gettext.js";
import { button, el, icon } from "../dom.js";
import { framed } from "./frame.js";
import { markMembers, under } from "./members.js";

export function listField(spec) {
  const { schema, isRequired, initial } = spec;
  let children = [];
  const rows = el("ol", { class: "playground-items" });
  const add = button([icon("plus"), gettext("Add")], () => append(undefined, true), "button-small");
  const { element, mark } = framed(spec, el("fieldset", {}, rows, add), { isGroup: true });
  add.setAttribute("aria-label", interpolate(gettext("Add to %(name)s"), { name: schema.title ?? spec.name }));

  function append(value, isAsked = false) {
    const name = interpolate(gettext("%(item)s %(number)s"), { item: schema.items.title ?? gettext("Item"), number: children.length + 1 });
    const child = spec.make({
      schema: schema.items,
      root: spec.root,
      name,
      isRequired: true,
      initial: value,
      depth: spec.depth + 1,
    });
    const remove = button(icon("trash-2"), () => take(child, row), "button-quiet button-icon", {
      "aria-label": interpolate(gettext("Remove %(name)s"), { name }),
    });
    const row = el("li", {}, child.element, remove);
    children.push(child);
    rows.append(row);
    if (isAsked) row.querySelector("input, select, textarea")?.focus();
  }

  function take(child, row) {
    children = children.filter((each) => each !== child);
    row.remove();
    add.focus();
  }

  const begin = Array.isArray(initial) ? initial : Array.from({ length: Math.min(schema.minItems ?? 0, 10) });
  begin.forEach((value) => append(value));
  return {
    element,
    read: () => (children.length || isRequired ? children.map((child) => child.read() ?? null) : undefined),
    problems: () => children.flatMap((child, i) => under(i, child.problems())),
    mark: (found) => markMembers(found, new Map(children.entries()), mark),
  };
}
