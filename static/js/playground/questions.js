// What a server asks meanwhile: elicitation as a form or a page to visit, sampling by hand, roots (none).

import { gettext } from "../gettext.js";
import { button, code, el, icon } from "./dom.js";
import { makeForm } from "./form.js";
import { opened, openedNote, opening, judged, shownAddress } from "./visiting.js";
import { pretty, visible } from "./words.js";

const METHOD_NOT_FOUND = -32601;
const REFUSED = -1; // sampling: "User rejected" (client/sampling, "Error Handling")

class Declined extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

const ASKING = { "elicitation/create": elicitation, "sampling/createMessage": sampling };

// The answer to a question, shown in `place` until it is given or its call is over. `announce(words)`.
export async function answer(place, announce, method, params, signal) {
  if (!Object.hasOwn(ASKING, method)) throw new Declined(`The Playground does not answer ${method}.`, METHOD_NOT_FOUND);
  const { element, answered, after } = ASKING[method](params);
  const before = document.activeElement;
  place.append(element);
  announce(gettext("The server asks you something"));
  // An address is read before its button can be pressed by mistake
  (element.querySelector("input, select, textarea, .playground-address") ?? element.querySelector("button"))?.focus();
  try {
    const said = await Promise.race([answered, ended(signal)]);
    if (after && said.action === "accept") place.append(after(announce, signal));
    return said;
  } finally {
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    if (hadFocus) before?.focus();
  }
}

const ended = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

function asked(title, message, body, onsubmit, buttons) {
  const head = el("div", { class: "panel-head" }, icon("circle-alert"), el("h3", {}, title));
  const words = message ? el("p", { class: "playground-said" }, visible(message)) : [];
  const form = el("form", { class: "panel-body stack", novalidate: true }, words, body, el("div", { class: "button-group" }, buttons));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onsubmit();
  });
  return el("section", { class: "panel playground-question", "aria-label": title }, head, form);
}

const submit = (words) => el("button", { class: "button button-primary" }, words);

function elicitation({ mode, message, requestedSchema, url, elicitationId }) {
  const { promise, resolve } = Promise.withResolvers();
  const others = [button(gettext("Decline"), () => resolve({ action: "decline" })), button(gettext("Cancel"), () => resolve({ action: "cancel" }), "button-quiet")];
  if (mode === "url") return { ...visiting(message, url, elicitationId, others, resolve), answered: promise };
  const form = makeForm(requestedSchema ?? {});
  const accept = () => form.check().length || resolve({ action: "accept", content: form.read() });
  const note = el("p", { class: "small muted" }, gettext("Never give a password or a key here: what you submit goes to the server as it is."));
  return { element: asked(gettext("The server asks you"), message, [el("div", { class: "form" }, form.element), note], accept, [submit(gettext("Submit")), ...others]), answered: promise };
}

// To agree is to open it; an address that is not opened can't be agreed to.
function visiting(message, address, elicitationId, others, resolve) {
  const isGood = !judged(address).refusal;
  const accept = () => {
    if (!isGood) return;
    opened(address);
    resolve({ action: "accept" });
  };
  const element = asked(gettext("The server asks you to visit a page"), message, shownAddress(address), accept, [isGood ? submit(opening(address)) : [], ...others]);
  const after = elicitationId && ((announce, signal) => openedNote(address, elicitationId, announce, signal));
  return { element, after };
}

function sampling(params) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const text = el("textarea", { rows: 4, "aria-label": gettext("Answer of the model") });
  const answer = () => resolve({ role: "assistant", content: { type: "text", text: text.value }, model: "a person", stopReason: "endTurn" });
  const refuse = button(gettext("Refuse"), () => reject(new Declined("The user refused.", REFUSED)));
  const label = el("div", { class: "field" }, el("span", { class: "field-label" }, gettext("What the model would say")), text);
  const body = [code(pretty(params), gettext("What it asks the model")), label];
  return { element: asked(gettext("The server asks your model"), gettext("There is no model here: answer in its place."), body, answer, [submit(gettext("Answer")), refuse]), answered: promise };
}
