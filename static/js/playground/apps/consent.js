// What an app asks for is asked of the person who looks at it: once for its calls, each time for a page.

import { gettext } from "../../gettext.js";
import { button, el } from "../dom.js";
import { opened, opening, judged, shownAddress } from "../visiting.js";
import { visible } from "../words.js";
import { Denied } from "./bridge.js";

export class Consent {
  #mayCall = null; // true, false, or null: nobody was asked
  #open = null; // the question that is there now

  constructor(place, announce) {
    this.place = place;
    this.announce = announce;
  }

  // Raises Denied. `what` is what it wants to do first.
  async calls(what) {
    this.#mayCall ??= await this.#ask(
      [
        el("p", {}, gettext("The app wants to use this server as you:"), " ", el("strong", { class: "mono break" }, visible(what))),
        el("p", {}, gettext("If you allow it, it may call the tools that the server offers to apps, and read its resources, until it is closed.")),
      ],
      [[gettext("Allow"), true, "button-primary"], [gettext("Refuse"), false, ""]],
    );
    if (!this.#mayCall) throw new Denied("The user does not allow this app to use the server.");
  }

  // Opens a page if its user agrees. Raises Denied.
  async link(address) {
    if (judged(address).refusal) throw new Denied("This is no address that is opened.");
    const choices = [[opening(address), true, "button-primary"], [gettext("Refuse"), false, ""]];
    if (!(await this.#ask([el("p", {}, gettext("The app wants you to visit a page.")), shownAddress(address)], choices))) throw new Denied("The user refused.");
    opened(address);
  }

  // One question at a time: an app that asks on and on is refused meanwhile.
  async #ask(words, choices) {
    if (this.#open) throw new Denied("The user is being asked something else.");
    const { promise, resolve } = Promise.withResolvers();
    const buttons = choices.map(([label, value, kind]) => button(label, () => resolve(value), kind));
    const question = (this.#open = el("div", { class: "playground-consent stack", role: "group", "aria-label": gettext("The app asks") }, words, el("div", { class: "button-group" }, buttons)));
    this.place.append(question);
    this.announce(gettext("The app asks you something"));
    try {
      return await promise;
    } finally {
      question.remove();
      this.#open = null;
    }
  }
}
