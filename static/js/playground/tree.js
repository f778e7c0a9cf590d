// Structured data to look at: a table where it is one, else a tree that opens and closes.

import { gettext, interpolate, ngettext } from "../gettext.js";
import { el } from "./dom.js";
import { visible } from "./words.js";

const ROWS = 200; // of a table, and entries of one branch of a tree
const COLUMNS = 12;
const isFlat = (value) => value === null || typeof value !== "object";

// The columns of a list of flat objects; null where it is none.
export function columnsOf(value) {
  if (!Array.isArray(value) || !value.length) return null;
  if (!value.every((row) => row !== null && typeof row === "object" && !Array.isArray(row) && Object.values(row).every(isFlat)))
    return null;
  const names = [...new Set(value.slice(0, ROWS).flatMap(Object.keys))];
  return names.length && names.length <= COLUMNS ? names : null;
}

const cell = (value) => (value === undefined ? "" : typeof value === "string" ? visible(value) : JSON.stringify(value));

export function table(rows, names, label) {
  const head = el(
    "tr",
    {},
    names.map((name) => el("th", { scope: "col" }, visible(name))),
  );
  const line = (row) =>
    el(
      "tr",
      {},
      names.map((name) => el("td", { class: typeof row[name] === "number" ? "number" : "break" }, cell(row[name]))),
    );
  const shown = el("table", { class: "table" }, el("thead", {}, head), el("tbody", {}, rows.slice(0, ROWS).map(line)));
  const more = rows.length > ROWS ? el("p", { class: "small muted" }, moreOf(ngettext("%(count)s more row is in the JSON.", "%(count)s more rows are in the JSON.", rows.length - ROWS), rows)) : [];
  return el("div", { class: "table-scroll playground-table", role: "group", "aria-label": label, tabindex: "0" }, shown, more);
}

const moreOf = (words, all) => interpolate(words, { count: all.length - ROWS });

function summary(value) {
  const count = Object.keys(value).length;
  const words = Array.isArray(value)
    ? ngettext("%(count)s item", "%(count)s items", count)
    : ngettext("%(count)s member", "%(count)s members", count);
  return interpolate(words, { count });
}

function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  return el("span", { class: `playground-${kind} break` }, kind === "string" ? visible(JSON.stringify(value)) : String(value));
}

function branch(name, value, isOpen) {
  const key = el("span", { class: "playground-key" }, visible(name));
  if (isFlat(value)) return el("li", {}, key, " ", leaf(value));
  const body = el("ul");
  const details = el(
    "details",
    { open: isOpen },
    el("summary", {}, key, " ", el("span", { class: "muted" }, summary(value))),
    body,
  );
  const fill = () => body.childElementCount || body.append(...entries(value, false));
  if (isOpen) fill();
  else details.addEventListener("toggle", fill, { once: true }); // large ones are made as far as somebody looks
  return el("li", {}, details);
}

function entries(value, areOpen) {
  const all = Object.entries(value);
  const shown = all.slice(0, ROWS).map(([name, member]) => branch(name, member, areOpen));
  return all.length > ROWS ? [...shown, el("li", { class: "muted" }, moreOf(gettext("and %(count)s more"), all))] : shown;
}

export function tree(value, label) {
  if (isFlat(value)) return el("p", {}, leaf(value));
  const names = columnsOf(value);
  if (names) return table(value, names, label);
  return el("ul", { class: "playground-tree", "aria-label": label }, entries(value, Object.keys(value).length <= 12));
}

// A member that is a table is shown as one; the rest is a tree.
export function structured(value) {
  if (isFlat(value) || Array.isArray(value)) return [tree(value, gettext("Structured content"))];
  const tables = Object.entries(value).filter(([, member]) => columnsOf(member));
  const rest = Object.fromEntries(Object.entries(value).filter(([, member]) => !columnsOf(member)));
  const shown = tables.map(([name, rows]) =>
    el("div", {}, el("h4", { class: "small mono break" }, visible(name)), table(rows, columnsOf(rows), visible(name))),
  );
  return Object.keys(rest).length || !tables.length ? [tree(rest, gettext("Structured content")), ...shown] : shown;
}
