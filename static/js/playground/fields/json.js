// Any part that no form can be made for: as JSON.

import { gettext, interpolate } from "../../gettext.js";
import { el } from "../dom.js";
import { framed } from "./frame.js";

export function jsonField(spec) {
  const control = el("textarea", { rows: 4, class: "mono", spellcheck: "false", autocomplete: "off" });
  if (spec.initial !== undefined) control.value = JSON.stringify(spec.initial, null, 2);
  const { element, mark } = framed(spec, control, { help: [gettext("Write it as JSON.")] });
  const problems = () => {
    try {
      read();
      return [];
    } catch (error) {
      return [{ path: [], message: interpolate(gettext("This is no JSON: %(problem)s"), { problem: error.message }) }];
    }
  };
  const read = () => (control.value.trim() === "" ? undefined : JSON.parse(control.value));
  return { element, mark, problems, read };
}
