// Text: one line that grows, or the browser's own field for a format.

import { gettext, interpolate } from "../../gettext.js";
import { el } from "../dom.js";
import { framed } from "./frame.js";

const INPUTS = { email: "email", date: "date", "date-time": "datetime-local", uri: "url" };
const SECRET = "password"; // a format that OpenAPI has, and many schemas use

export function textField(spec) {
  const { schema, initial } = spec;
  const type = INPUTS[schema.format];
  const limits = { maxlength: schema.maxLength > 0 ? schema.maxLength : undefined };
  const control = type
    ? el("input", { type, step: type === "datetime-local" ? 1 : undefined, ...limits })
    : el("textarea", { rows: 1, spellcheck: "false", class: schema.format === SECRET ? "secret-input" : undefined, ...limits });
  const example = typeof schema.examples?.[0] === "string" ? schema.examples[0] : "";
  if (example) control.setAttribute("placeholder", example);
  control.autocomplete = "off";
  if (typeof initial === "string") control.value = type === "datetime-local" ? local(initial) : initial;
  const isTime = type === "datetime-local";
  const help = isTime ? [interpolate(gettext("In your time zone, %(zone)s."), { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })] : [];
  const { element, mark } = framed(spec, control, { help });
  const read = () => {
    if (control.value === "") return undefined;
    return isTime ? new Date(control.value).toISOString() : control.value;
  };
  const own = () => (control.validity.badInput ? [{ path: [], message: gettext("Fill in all of it, or nothing.") }] : []);
  return { element, read, mark, problems: own };
}

// An RFC 3339 time as a datetime-local field has it; "" for anything else.
function local(text) {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
