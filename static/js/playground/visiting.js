// A page that a server wants its user to visit (2025-11-25 client/elicitation, "Safe URL Handling"; the same in
// 2026-07-28). Nothing is fetched, looked up or opened before somebody has read where it leads and pressed the button;
// then it opens in a tab of its own, which knows nothing of this one.

import { gettext, interpolate } from "../gettext.js";
import { alert, button, el } from "./dom.js";
import { visible } from "./words.js";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

// { url, refusal, warnings }: where an address leads, why it is not opened ("" if it may be), what is odd about it.
export function judged(address) {
  const url = typeof address === "string" ? URL.parse(address) : null;
  if (!url) return { url, refusal: gettext("It is no web address."), warnings: [] };
  return { url, refusal: refusalOf(url), warnings: warningsOf(url, address) };
}

function refusalOf(url) {
  const isHere = LOOPBACK.includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere)) return gettext("It does not begin with https, so anybody on the way could read what you type there.");
  if (url.username || url.password) return gettext("It has a name in front of its host, which makes it look like another site's.");
  return "";
}

function warningsOf(url, address) {
  const found = [];
  if (url.hostname.split(".").some((label) => label.startsWith("xn--"))) {
    found.push(gettext("Its host has letters that can look like others. Above it is written as computers read it: compare it with the site that you expect."));
  }
  if (/^[\d.]+$|^\[/.test(url.hostname) && !LOOPBACK.includes(url.hostname)) found.push(gettext("Its host is a number and has no name."));
  if (url.href !== address && url.href !== `${address}/`) found.push(interpolate(gettext("The server wrote it in another way: %(address)s"), { address: visible(address) }));
  return found;
}

// All of the address as text, its host marked.
function written(url) {
  const begin = url.href.indexOf(url.host, url.protocol.length);
  const after = url.href.slice(begin + url.host.length);
  const whole = [url.href.slice(0, begin), el("strong", {}, url.host), visible(after)];
  return el("p", { class: "mono break playground-address", tabindex: "-1" }, whole);
}

// What stands before the button: the address, and what is odd about it.
export function shownAddress(address) {
  const { url, refusal, warnings } = judged(address);
  if (refusal) return [alert("warn", gettext("It wants you to visit an address that is not opened"), el("p", {}, refusal), el("p", { class: "mono break" }, visible(address)))];
  return [written(url), warnings.length ? alert("warn", gettext("Look twice"), warnings.map((each) => el("p", {}, each))) : []];
}

export function opened(address) {
  const { url, refusal } = judged(address);
  if (!refusal) window.open(url.href, "_blank", "noopener,noreferrer");
}

export const opening = (address) => interpolate(gettext("Open %(host)s in a new tab"), { host: judged(address).url.host });

// Pages that were shown and that a server may say are done, by its id for them.
const waiting = new Map();

// One that a call needs first (-32042). `announce(words)`.
export function visit({ message, url: address, elicitationId }, announce) {
  const state = el("p", { class: "small muted" });
  const isGood = !judged(address).refusal;
  const open = isGood ? [el("div", {}, button(opening(address), () => opened(address), "button-primary"))] : [];
  expect(elicitationId, () => {
    state.textContent = gettext("The server says that you are done there. Call again.");
    announce(state.textContent);
  });
  return el("div", { class: "playground-link" }, message ? el("p", { class: "playground-said" }, visible(message)) : [], shownAddress(address), open, state);
}

// One that was opened, while its call goes on: gone when the server says that it is done, or the call is over.
export function openedNote(address, elicitationId, announce, signal) {
  const again = button(gettext("Open it again"), () => opened(address), "button-small");
  const note = alert("accent", interpolate(gettext("You opened %(host)s"), { host: judged(address).url.host }), el("p", {}, gettext("The call goes on once the server knows that you are done there.")), again);
  const end = () => note.remove();
  signal.addEventListener("abort", end, { once: true });
  expect(elicitationId, () => {
    end();
    announce(gettext("The server says that you are done there."));
  });
  return note;
}

function expect(id, done) {
  if (typeof id === "string") waiting.set(id, done);
}

// notifications/elicitation/complete. Ids that are not known, or were done before, mean nothing.
export function completed(params) {
  const done = waiting.get(params?.elicitationId);
  waiting.delete(params?.elicitationId);
  done?.();
}
