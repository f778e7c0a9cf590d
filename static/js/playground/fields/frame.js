// What all fields have: a label, what it is for, and what is wrong with it (the looks of the tag `field` of common/elements.py).

import { gettext } from "../../gettext.js";
import { el, freshId } from "../dom.js";
import { visible } from "../words.js";

// `spec`: { schema, root, name, isRequired, initial, make }, as makeField is given. Returns the field's frame around a
// control, with `mark(problems)`, which shows what is wrong and returns the control to go to, or null.
export function framed(spec, control, { isGroup = false, more = [], help = [] } = {}) {
  const id = freshId("playground-field");
  const words = visible(spec.schema.title ?? spec.name);
  const mandatory = spec.isRequired ? [] : [el("span", { class: "field-optional" }, ` ${gettext("(optional)")}`)];
  const technical =
    spec.schema.title && spec.schema.title !== spec.name && spec.name
      ? [el("code", { class: "field-key" }, visible(spec.name))]
      : [];
  const texts = [spec.schema.description, ...help].filter(Boolean);
  const notes = el(
    "div",
    { class: "field-help", id: `${id}-help` },
    texts.map((text) => el("p", {}, visible(text))),
  );
  const errors = el("ul", { class: "errorlist", id: `${id}-errors`, hidden: true });
  control.setAttribute("aria-describedby", [texts.length && notes.id, errors.id].filter(Boolean).join(" "));
  const parts = [control, more, errors, texts.length ? notes : []].flat();
  let element;
  if (isGroup) {
    control.prepend(el("legend", {}, words, mandatory, technical));
    element = el("div", { class: "field playground-group" }, parts);
  } else {
    control.id = id;
    if (spec.isRequired) control.setAttribute("aria-required", "true");
    element = el("div", { class: "field" }, el("label", { for: id }, words, mandatory, technical), parts);
  }

  function mark(found) {
    errors.replaceChildren(...found.map(({ message }) => el("li", {}, message)));
    errors.hidden = found.length === 0;
    if (!isGroup) control.toggleAttribute("aria-invalid", false);
    if (found.length && !isGroup) control.setAttribute("aria-invalid", "true");
    if (!found.length) return null;
    return isGroup ? control.querySelector("input, select, textarea, button") : control;
  }

  return { element, control, mark };
}
