// What of a value a schema does not allow, in words for the field that holds it. Pure. It knows what forms are made of;
// of the rest of JSON Schema the server is the judge.

import { gettext, interpolate } from "../gettext.js";
import { resolved } from "./references.js";
import { list, misfit, number, text } from "./rules.js";
import { branches } from "./schema.js";

const MOST = 20_000; // steps: a schema that goes on within itself may take for ever, and is not judged
let steps = 0;

// Returns [{ path: [name or index, …], message }], empty where all is well.
export function problems(value, schema, root) {
  steps = 0;
  try {
    return judged(value, schema, root, []);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function judged(value, schema, root, path) {
  if ((steps += 1) > MOST) throw new RangeError(gettext("There is no end to this schema."));
  const found = resolved(schema, root);
  const say = (message) => [{ path, message }];
  if (Object.hasOwn(found, "const")) return same(value, found.const) ? [] : say(interpolate(gettext("It has to be %(value)s."), { value: JSON.stringify(found.const) }));
  if (found.enum) return found.enum.some((one) => same(value, one)) ? [] : say(gettext("Choose one of what is offered."));
  const ways = branches(found, root);
  if (ways) return united(value, ways, root, path);
  const wrong = misfit(value, found.type);
  if (wrong) return say(wrong);
  if (typeof value === "string") return text(value, found).flatMap(say);
  if (typeof value === "number") return number(value, found).flatMap(say);
  if (Array.isArray(value)) return [...list(value, found).flatMap(say), ...items(value, found, root, path)];
  if (value !== null && typeof value === "object") return members(value, found, root, path);
  return [];
}

export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// A union fails with what its closest alternative says: the one with the fewest problems.
function united(value, ways, root, path) {
  const each = ways.map((way) => judged(value, way, root, path));
  return each.sort((one, other) => one.length - other.length)[0];
}

const items = (value, { items: schema }, root, path) =>
  schema ? value.flatMap((item, i) => judged(item, schema, root, [...path, i])) : [];

function members(value, { properties = {}, required = [] }, root, path) {
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  const known = Object.entries(value).filter(([name]) => Object.hasOwn(properties, name));
  return [
    ...missing.map((name) => ({ path: [...path, name], message: gettext("This is needed.") })),
    ...known.flatMap(([name, member]) => judged(member, properties[name], root, [...path, name])),
  ];
}
