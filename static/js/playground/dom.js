// Elements made of nothing but text: what a hosted server says never becomes markup, an address or a style here.

import { gettext, interpolate } from "../gettext.js";

const SVG = "http://www.w3.org/2000/svg";

// el("p", { class: "muted", onclick: run }, "words", child): attributes, listeners for functions, children or strings.
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name, isSpinning = false) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", isSpinning ? "icon icon-spin" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.querySelector("[data-playground]")?.dataset.icons ?? ""}#${name}`);
  svg.append(use);
  return svg;
}

export function badge(words, tone = "", sign = "") {
  return el("span", { class: tone ? `badge badge-${tone}` : "badge" }, sign && icon(sign), words);
}

const SIGNS = { bad: "circle-alert", warn: "triangle-alert", good: "circle-check", accent: "info" };

// A message that stays, as elements/alert.html has it.
export function alert(tone, title, ...words) {
  const body = el("div", { class: "break" }, title && el("p", { class: "alert-title" }, title), words);
  return el("div", { class: `alert alert-${tone}` }, icon(SIGNS[tone]), body);
}

export function button(words, onclick, kind = "", more = {}) {
  return el("button", { type: "button", class: `button ${kind}`.trim(), onclick, ...more }, words);
}

// Text to copy, as the tag `code` of common/elements.py has it; app.js binds its button as it appears.
export function code(text, label, { wraps = true } = {}) {
  const name = { role: "group", "aria-label": label, tabindex: "0" };
  const copy = { type: "button", class: "button button-quiet button-icon", "data-copy-button": true, hidden: true };
  return el(
    "div",
    { class: wraps ? "code code-wrap" : "code", "data-controller": "copy" },
    el("pre", name, el("code", { "data-copy-source": true }, text)),
    el("button", { ...copy, "data-copied-label": gettext("Copied"), "aria-label": interpolate(gettext("Copy: %(label)s"), { label }) }, icon("copy")),
  );
}

// A link that leaves the site, for web addresses only; anything else stays words.
export function outside(address, words = address) {
  const url = URL.parse(address);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return el("span", { class: "mono break" }, words);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, words);
}

let numbers = 0;
export const freshId = (prefix) => `${prefix}-${(numbers += 1)}`;
