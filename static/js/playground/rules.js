// What a schema says of one value by its type: each rule gives [] or what is wrong, in words. Pure.

import { gettext, interpolate } from "../gettext.js";
import { matches } from "./patterns.js";

const TYPES = {
  string: gettext("It has to be text."),
  number: gettext("It has to be a number."),
  integer: gettext("It has to be a whole number."),
  boolean: gettext("It has to be yes or no."),
  array: gettext("It has to be a list."),
  object: gettext("It has to be an object."),
  null: gettext("It has to be nothing (null)."),
};

function isOf(value, type) {
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return value !== null && typeof value === "object" && !Array.isArray(value);
  return typeof value === type;
}

// "" where the value is of that type, or none is asked for.
export function misfit(value, type) {
  if (type === undefined || isOf(value, type)) return "";
  return Object.hasOwn(TYPES, type) ? TYPES[type] : interpolate(gettext("It has to be %(value)s."), { value: type });
}

const FORMATS = {
  email: [/^[^\s@]+@[^\s@]+$/, gettext("Write an e-mail address, such as ada@example.org.")],
  date: [/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, gettext("Write a date as 2026-07-28.")],
  "date-time": [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i, gettext("Write date, time and zone as 2026-07-28T09:30:00Z.")],
  uri: [/^[a-z][a-z0-9+.-]*:\S+$/i, gettext("Write a whole address, such as https://example.org/page.")],
};

export function text(value, { minLength, maxLength, pattern, format }) {
  const length = [...value].length;
  if (length < minLength) return [interpolate(gettext("At least %(minLength)s characters; there are %(length)s."), { minLength, length })];
  if (length > maxLength) return [interpolate(gettext("At most %(maxLength)s characters; there are %(length)s."), { maxLength, length })];
  if (pattern !== undefined && !matches(pattern, value)) return [interpolate(gettext("It has to match %(pattern)s"), { pattern })];
  const [rule, words] = (Object.hasOwn(FORMATS, format ?? "") && FORMATS[format]) || [];
  return rule && !rule.test(value) ? [words] : [];
}

export function number(value, { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }) {
  if (value < minimum) return [interpolate(gettext("At least %(minimum)s."), { minimum })];
  if (value > maximum) return [interpolate(gettext("At most %(maximum)s."), { maximum })];
  if (value <= exclusiveMinimum) return [interpolate(gettext("More than %(exclusiveMinimum)s."), { exclusiveMinimum })];
  if (value >= exclusiveMaximum) return [interpolate(gettext("Less than %(exclusiveMaximum)s."), { exclusiveMaximum })];
  const times = value / multipleOf;
  return multipleOf > 0 && Math.abs(times - Math.round(times)) > 1e-9 ? [interpolate(gettext("A multiple of %(multipleOf)s."), { multipleOf })] : [];
}

export function list(value, { minItems, maxItems, uniqueItems }) {
  if (value.length < minItems) return [interpolate(gettext("At least %(minItems)s of them; there are %(count)s."), { minItems, count: value.length })];
  if (value.length > maxItems) return [interpolate(gettext("At most %(maxItems)s of them; there are %(count)s."), { maxItems, count: value.length })];
  const texts = value.map((item) => JSON.stringify(item));
  return uniqueItems === true && new Set(texts).size < texts.length ? [gettext("No two of them may be the same.")] : [];
}
