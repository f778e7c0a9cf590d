// Schemas come from hosted servers, so that any keyword may have any value. What is not of the type that JSON Schema
// wants is left out here, once, and nobody else has to look. Pure.

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isTexts = (value) => Array.isArray(value) && value.every((one) => typeof one === "string");
const isText = (value) => typeof value === "string";
const isNumber = (value) => typeof value === "number";
const isSome = (value) => Array.isArray(value) && value.length > 0;

const WANTED = {
  type: (value) => isText(value) || (isTexts(value) && value.length > 0),
  properties: isObject,
  required: isTexts,
  items: (value) => isObject(value) || value === true,
  oneOf: isSome,
  anyOf: isSome,
  allOf: isSome,
  enum: isSome,
  examples: Array.isArray,
  title: isText,
  description: isText,
  format: isText,
  pattern: isText,
  ...Object.fromEntries(
    [
      "minimum",
      "maximum",
      "exclusiveMinimum",
      "exclusiveMaximum",
      "multipleOf",
      "minLength",
      "maxLength",
      "minItems",
      "maxItems",
    ].map((name) => [name, isNumber]),
  ),
};

export function sane(schema) {
  if (!isObject(schema)) return {}; // true, false, or nothing that there is
  const kept = Object.entries(schema).filter(([name, value]) => !Object.hasOwn(WANTED, name) || WANTED[name](value));
  return Object.fromEntries(kept);
}
