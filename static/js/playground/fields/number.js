// A number, whole or not.

import { gettext } from "../../gettext.js";
import { el } from "../dom.js";
import { framed } from "./frame.js";

export function numberField(spec) {
  const { schema, initial } = spec;
  const isWhole = schema.type === "integer";
  const limits = { min: schema.minimum, max: schema.maximum, step: isWhole ? 1 : "any" };
  const control = el("input", { type: "number", inputmode: isWhole ? "numeric" : "decimal", ...limits });
  if (Number.isFinite(initial)) control.value = String(initial);
  const { element, mark } = framed(spec, control);
  const problems = () => {
    if (control.validity.badInput) return [{ path: [], message: gettext("Write a number.") }];
    const isTooLarge = Math.abs(control.valueAsNumber) > Number.MAX_SAFE_INTEGER;
    return isTooLarge && isWhole ? [{ path: [], message: gettext("This browser can't keep a whole number of that size exactly.") }] : [];
  };
  return { element, mark, problems, read: () => (control.value === "" ? undefined : Number(control.value)) };
}
