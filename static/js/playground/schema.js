// What a JSON Schema (2020-12) wants, as far as a form has to know. Pure.

import { resolved, together } from "./references.js";

const MOST_MEMBERS = 200; // of an object that is a form

const textOf = (value) => (typeof value === "string" ? value : undefined);
const isPlain = (value) => value === null || ["string", "number", "boolean"].includes(typeof value);

// Of a choice: [{ value, label, help }]; null where it is none.
export function options(schema) {
  if (schema.enum?.every(isPlain)) {
    const names = Array.isArray(schema.enumNames) ? schema.enumNames : [];
    return schema.enum.map((value, i) => ({ value, label: String(textOf(names[i]) ?? value) }));
  }
  const branches = schema.oneOf ?? schema.anyOf;
  const isConstant = (part) => part && typeof part === "object" && Object.hasOwn(part, "const") && isPlain(part.const);
  if (!branches?.every(isConstant)) return null;
  return branches.map((part) => ({ value: part.const, label: String(textOf(part.title) ?? part.const), help: textOf(part.description) }));
}

// The alternatives of a union, each resolved; null where it is none. A list of types is one, too.
export function branches(schema, root) {
  const found = schema.oneOf ?? schema.anyOf;
  if (found) {
    const { oneOf, anyOf, title, description, default: initial, ...beside } = schema;
    return found.map((part) => together(beside, resolved(part, root)));
  }
  if (Array.isArray(schema.type) && schema.type.length > 1) return schema.type.map((type) => ({ ...schema, type }));
  return null;
}

// Which field a resolved schema gets: choice, constant, union, text, number, yes_no, nothing, object, list, several, json.
export function kindOf(schema, root) {
  if (Object.hasOwn(schema, "const")) return "constant";
  if (options(schema)) return "choice";
  if (branches(schema, root)) return "union";
  const type = Array.isArray(schema.type) ? schema.type[0] : (schema.type ?? (schema.properties ? "object" : ""));
  if (type === "string") return "text";
  if (type === "number" || type === "integer") return "number";
  if (type === "boolean") return "yes_no";
  if (type === "null") return "nothing";
  if (type === "object") return isForm(schema) ? "object" : "json";
  if (type !== "array" || Array.isArray(schema.prefixItems) || !schema.items) return "json";
  return schema.uniqueItems === true && options(resolved(schema.items, root)) ? "several" : "list";
}

function isForm({ properties, patternProperties, additionalProperties }) {
  const isOpen = typeof additionalProperties === "object" || patternProperties !== undefined;
  const count = Object.keys(properties ?? {}).length;
  return count > 0 && count <= MOST_MEMBERS && !isOpen;
}
