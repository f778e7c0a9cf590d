// What a schema refers to (JSON Schema 2020-12, 8.2.3). Pure. A schema may refer to itself.

import { sane } from "./sane.js";

const DEEPEST = 12;
const MOST_PARTS = 1000; // of one schema: parts that refer to parts would grow without end
let parts = 0; // looked at since the last call from outside

// The schema with its own `$ref` followed (never to another document), and `allOf` put together.
export function resolved(schema, root, depth = 0) {
  parts = depth === 0 ? 0 : parts + 1;
  if (depth > DEEPEST || parts > MOST_PARTS) return {};
  let found = sane(schema);
  if (typeof found.$ref === "string") {
    const { $ref, ...beside } = found;
    found = { ...resolved(at(root, $ref), root, depth + 1), ...beside };
  }
  if (found.allOf) {
    const { allOf, ...rest } = found;
    found = [...allOf.map((part) => resolved(part, root, depth + 1)), rest].reduce(together);
  }
  return found;
}

function at(root, reference) {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return undefined;
  const names = decoded(reference.slice(2))
    .split("/")
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce((node, name) => (node && Object.hasOwn(node, name) ? node[name] : undefined), root);
}

// A fragment of a URI (RFC 6901, 6); one that is none is read as it stands.
function decoded(fragment) {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

// Two schemas that both hold, as one.
export function together(one, other) {
  const required = [...new Set([...(one.required ?? []), ...(other.required ?? [])])];
  const properties = { ...one.properties, ...other.properties };
  return {
    ...one,
    ...other,
    ...(required.length ? { required } : {}),
    ...(Object.keys(properties).length ? { properties } : {}),
  };
}
