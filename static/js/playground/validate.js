// What of a value a schema does not allow, in words for the field that holds it. Pure. It knows what forms are made of;
// of the rest of JSON Schema the server is the judge.

import { gettext, interpolate } from "../gettext.js";
import { branches, resolved } from "./schema.js";

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
  if (found.type !== undefined && !isOf(value, found.type)) return say(TYPES[found.type] ?? interpolate(gettext("It has to be %(value)s."), { value: found.type }));
  if (typeof value === "string") return text(value, found).flatMap(say);
  if (typeof value === "number") return number(value, found).flatMap(say);
  if (Array.isArray(value)) return [...list(value, found).flatMap(say), ...items(value, found, root, path)];
  if (value !== null && typeof value === "object") return members(value, found, root, path);
  return [];
}

const TYPES = {
  string: gettext("It has to be text."),
  number: gettext("It has to be a number."),
  integer: gettext("It has to be a whole number."),
  boolean: gettext("It has to be yes or no."),
  array: gettext("It has to be a list."),
  object: gettext("It has to be an object."),
  null: gettext("It has to be nothing (null)."),
};

export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function isOf(value, type) {
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return value !== null && typeof value === "object" && !Array.isArray(value);
  return typeof value === type;
}

// A union fails with what its closest alternative says: the one with the fewest problems.
function united(value, ways, root, path) {
  const each = ways.map((way) => judged(value, way, root, path));
  return each.sort((one, other) => one.length - other.length)[0];
}

const FORMATS = {
  email: [/^[^\s@]+@[^\s@]+$/, gettext("Write an e-mail address, such as ada@example.org.")],
  date: [/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, gettext("Write a date as 2026-07-28.")],
  "date-time": [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i, gettext("Write date, time and zone as 2026-07-28T09:30:00Z.")],
  uri: [/^[a-z][a-z0-9+.-]*:\S+$/i, gettext("Write a whole address, such as https://example.org/page.")],
};

function text(value, { minLength, maxLength, pattern, format }) {
  const length = [...value].length;
  if (length < minLength) return [interpolate(gettext("At least %(minLength)s characters; there are %(length)s."), { minLength, length })];
  if (length > maxLength) return [interpolate(gettext("At most %(maxLength)s characters; there are %(length)s."), { maxLength, length })];
  if (pattern !== undefined && !matches(pattern, value)) return [interpolate(gettext("It has to match %(pattern)s"), { pattern })];
  const [rule, words] = (Object.hasOwn(FORMATS, format ?? "") && FORMATS[format]) || [];
  return rule && !rule.test(value) ? [words] : [];
}

// A pattern of somebody else's could keep this page busy for years: one that repeats what repeats, or refers back, is the
// server's to judge, and so is a long text.
const NESTED = /\([^()]*[*+{|][^()]*\)[*+{]|\)\)+[*+{]|\\[1-9k]/;
const REPEATS = 4; // of one pattern
const LONGEST = 200;

function matches(pattern, value) {
  const isCostly = NESTED.test(pattern) || pattern.split(/[*+{]/).length - 1 > REPEATS;
  if (isCostly || value.length > LONGEST) return true;
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // not one that this browser knows
  }
}

function number(value, { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }) {
  if (value < minimum) return [interpolate(gettext("At least %(minimum)s."), { minimum })];
  if (value > maximum) return [interpolate(gettext("At most %(maximum)s."), { maximum })];
  if (value <= exclusiveMinimum) return [interpolate(gettext("More than %(exclusiveMinimum)s."), { exclusiveMinimum })];
  if (value >= exclusiveMaximum) return [interpolate(gettext("Less than %(exclusiveMaximum)s."), { exclusiveMaximum })];
  const times = value / multipleOf;
  return multipleOf > 0 && Math.abs(times - Math.round(times)) > 1e-9 ? [interpolate(gettext("A multiple of %(multipleOf)s."), { multipleOf })] : [];
}

function list(value, { minItems, maxItems, uniqueItems }) {
  if (value.length < minItems) return [interpolate(gettext("At least %(minItems)s of them; there are %(count)s."), { minItems, count: value.length })];
  if (value.length > maxItems) return [interpolate(gettext("At most %(maxItems)s of them; there are %(count)s."), { maxItems, count: value.length })];
  const texts = value.map((item) => JSON.stringify(item));
  return uniqueItems === true && new Set(texts).size < texts.length ? [gettext("No two of them may be the same.")] : [];
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
