// What of a value a schema does not allow, in words for the field that holds it. Pure. It knows what forms are made of;
// of the rest of JSON Schema the server is the judge.

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
  if ((steps += 1) > MOST) throw new RangeError("There is no end to this schema.");
  const found = resolved(schema, root);
  const say = (message) => [{ path, message }];
  if (Object.hasOwn(found, "const")) return same(value, found.const) ? [] : say(`It has to be ${JSON.stringify(found.const)}.`);
  if (found.enum) return found.enum.some((one) => same(value, one)) ? [] : say("Choose one of what is offered.");
  const ways = branches(found, root);
  if (ways) return united(value, ways, root, path);
  if (found.type !== undefined && !isOf(value, found.type)) return say(`It has to be ${ARTICLES[found.type] ?? found.type}.`);
  if (typeof value === "string") return text(value, found).flatMap(say);
  if (typeof value === "number") return number(value, found).flatMap(say);
  if (Array.isArray(value)) return [...list(value, found).flatMap(say), ...items(value, found, root, path)];
  if (value !== null && typeof value === "object") return members(value, found, root, path);
  return [];
}

const ARTICLES = { string: "text", number: "a number", integer: "a whole number", boolean: "yes or no", array: "a list", object: "an object", null: "nothing (null)" };

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
  email: [/^[^\s@]+@[^\s@]+$/, "Write an e-mail address, such as ada@example.org."],
  date: [/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, "Write a date as 2026-07-28."],
  "date-time": [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i, "Write date, time and zone as 2026-07-28T09:30:00Z."],
  uri: [/^[a-z][a-z0-9+.-]*:\S+$/i, "Write a whole address, such as https://example.org/page."],
};

function text(value, { minLength, maxLength, pattern, format }) {
  const length = [...value].length;
  if (length < minLength) return [`At least ${minLength} characters; there are ${length}.`];
  if (length > maxLength) return [`At most ${maxLength} characters; there are ${length}.`];
  if (pattern !== undefined && !matches(pattern, value)) return [`It has to match ${pattern}`];
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
  if (value < minimum) return [`At least ${minimum}.`];
  if (value > maximum) return [`At most ${maximum}.`];
  if (value <= exclusiveMinimum) return [`More than ${exclusiveMinimum}.`];
  if (value >= exclusiveMaximum) return [`Less than ${exclusiveMaximum}.`];
  const times = value / multipleOf;
  return multipleOf > 0 && Math.abs(times - Math.round(times)) > 1e-9 ? [`A multiple of ${multipleOf}.`] : [];
}

function list(value, { minItems, maxItems, uniqueItems }) {
  if (value.length < minItems) return [`At least ${minItems} of them; there are ${value.length}.`];
  if (value.length > maxItems) return [`At most ${maxItems} of them; there are ${value.length}.`];
  const texts = value.map((item) => JSON.stringify(item));
  return uniqueItems === true && new Set(texts).size < texts.length ? ["No two of them may be the same."] : [];
}

const items = (value, { items: schema }, root, path) =>
  schema ? value.flatMap((item, i) => judged(item, schema, root, [...path, i])) : [];

function members(value, { properties = {}, required = [] }, root, path) {
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  const known = Object.entries(value).filter(([name]) => Object.hasOwn(properties, name));
  return [
    ...missing.map((name) => ({ path: [...path, name], message: "This is needed." })),
    ...known.flatMap(([name, member]) => judged(member, properties[name], root, [...path, name])),
  ];
}
