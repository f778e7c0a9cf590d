// What somebody fills in for a call: a form, or the same as JSON, and the way between the two.

import { gettext, interpolate, ngettext } from "../gettext.js";
import { alert, button, el } from "./dom.js";
import { makeField, makeForm } from "./form.js";
import { visible } from "./words.js";

export class Arguments {
  #isJson = false;
  #form;

  constructor(schema) {
    this.schema = schema;
    this.body = el("div", { class: "form" });
    this.wrong = el("div", { hidden: true });
    this.switch = button(gettext("Write as JSON"), () => this.#turn(), "button-quiet button-small");
    this.element = el("div", { class: "stack" }, this.body, this.wrong);
    this.#fill({});
  }

  // The arguments; null where something is wrong with them, which is shown. `anyway()` sends them as they are.
  read(anyway) {
    const found = this.#form.check();
    this.wrong.hidden = !found.length;
    if (!found.length) return this.#form.read();
    const elsewhere = found.filter(({ path }) => !path.length).map(({ message }) => el("p", {}, visible(message)));
    const isReadable = !this.#form.typed().length;
    const send = isReadable ? button(gettext("Send it as it is"), () => anyway(this.#form.read()), "button-small") : [];
    const words = ngettext("One thing does not fit the schema", "%(count)s things do not fit the schema", found.length);
    this.wrong.replaceChildren(alert("warn", interpolate(words, { count: found.length }), elsewhere, send));
    return null;
  }

  // As it stands, whatever is wrong with it; what can't be read is left out.
  value() {
    return this.#form.typed().length ? {} : this.#form.read();
  }

  #turn() {
    if (this.#form.typed().length) return void this.#form.check();
    const value = this.#form.read();
    this.#isJson = !this.#isJson;
    this.switch.textContent = this.#isJson ? gettext("Fill in a form") : gettext("Write as JSON");
    this.wrong.hidden = true;
    this.#fill(value);
  }

  // A server may write a schema that no form can be made of: JSON is always possible.
  #made(value) {
    try {
      return makeForm(this.schema, value);
    } catch {
      this.#isJson = true;
      this.switch.hidden = true;
      return asJson(value);
    }
  }

  #fill(value) {
    this.#form = this.#isJson ? asJson(value) : this.#made(value);
    const isNone = this.#form.isEmpty && !this.#isJson;
    this.body.replaceChildren(isNone ? el("p", { class: "small muted" }, gettext("It takes no arguments.")) : this.#form.element);
  }
}

function asJson(value) {
  const field = makeField({ schema: {}, root: {}, name: gettext("Arguments"), isRequired: true, initial: value });
  return {
    element: field.element,
    isEmpty: false,
    typed: field.problems,
    read: () => field.read() ?? {},
    check() {
      const found = field.problems();
      field.mark(found)?.focus();
      return found;
    },
  };
}
