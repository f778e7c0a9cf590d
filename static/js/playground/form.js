// A form for a JSON Schema: the tree of its fields, what they hold, and what is wrong with that.

import { gettext } from "../gettext.js";
import { choiceField, constantField, severalField, yesNoField } from "./fields/choice.js";
import { jsonField } from "./fields/json.js";
import { listField } from "./fields/list.js";
import { numberField } from "./fields/number.js";
import { objectField } from "./fields/object.js";
import { textField } from "./fields/text.js";
import { unionField } from "./fields/union.js";
import { resolved } from "./references.js";
import { branches, kindOf } from "./schema.js";
import { problems as problemsOf } from "./validate.js";

const DEEPEST = 6; // fields in fields; what lies deeper is written as JSON

const FIELDS = {
  choice: choiceField,
  constant: constantField,
  json: jsonField,
  list: listField,
  nothing: constantField,
  number: numberField,
  object: objectField,
  several: severalField,
  text: textField,
  union: unionField,
  yes_no: yesNoField,
};

const MOST = 500; // fields that are made at once: a schema that goes on within itself would fill the page
let left = MOST;

// A field is { element, read() -> value or undefined, problems() of what was typed, mark(problems) -> control or null }.
export function makeField({ depth = 0, ...spec }) {
  if (left === MOST) setTimeout(() => (left = MOST)); // after what is made now
  const whole = resolved(spec.schema, spec.root);
  const initial = spec.initial ?? whole.default ?? undefined;
  const schema = (!spec.isRequired && besideNull(whole, spec.root)) || whole;
  const found = depth > DEEPEST ? "json" : kindOf(schema, spec.root);
  const size = found === "object" ? Object.keys(schema.properties).length : 1;
  const kind = size > left ? "json" : found;
  left -= Math.min(size, left);
  const items = kind === "several" ? resolved(schema.items, spec.root) : undefined;
  return FIELDS[kind]({ ...spec, schema, initial, items, depth, make: makeField });
}

// What may be null or one other thing, and may be left out: just that other thing. Leaving it out says the same.
function besideNull(schema, root) {
  const ways = (branches(schema, root) ?? []).filter((way) => way.type !== "null");
  if (ways.length !== 1) return null;
  return { ...ways[0], title: schema.title ?? ways[0].title, description: schema.description ?? ways[0].description };
}

// A form for the arguments of something, or the content of an answer. `initial`: what is filled in.
export function makeForm(schema, initial) {
  const root = schema ?? {};
  const isEmpty = !Object.keys(resolved(root, root).properties ?? {}).length && !root.oneOf && !root.anyOf;
  const field = makeField({ schema: root, root, name: gettext("Arguments"), isRequired: true, initial });
  return {
    element: field.element,
    isEmpty,
    read: () => field.read() ?? {},
    typed: field.problems, // what can't even be read

    // Marks what is wrong and returns how much; the reader is led to the first of it.
    check() {
      const typed = field.problems();
      const found = typed.length ? typed : problemsOf(field.read() ?? {}, root, root);
      const first = field.mark(found);
      first?.focus();
      return found;
    },
  };
}
