// What came of a request: a result of tools/call, resources/read or prompts/get, or what went wrong.

import { gettext, interpolate } from "../gettext.js";
import { alert, badge, code, el } from "./dom.js";
import { content, resourceOf } from "./content.js";
import { structured } from "./tree.js";
import { visit } from "./visiting.js";
import { milliseconds, pretty, visible } from "./words.js";

// Structured content repeats itself as text for clients that can't read it (server/tools, "Structured Content").
function isRepeated(block, value) {
  if (block?.type !== "text") return false;
  try {
    return JSON.stringify(JSON.parse(block.text)) === JSON.stringify(value);
  } catch {
    return false;
  }
}

const BLOCKS = 200; // that are shown

// The elements of a result. `read(uri)` as of `content`.
export function shownResult(result, read) {
  const parts = [];
  if (result?.isError) parts.push(alert("bad", gettext("The tool says that it failed")));
  if (result?.structuredContent !== undefined) parts.push(...structured(result.structuredContent));
  for (const block of listOf(result?.content)) {
    if (!isRepeated(block, result.structuredContent)) parts.push(content(block, read));
  }
  for (const found of listOf(result?.contents)) parts.push(resourceOf(found));
  for (const message of listOf(result?.messages)) {
    parts.push(el("div", { class: "playground-message" }, badge(visible(message?.role)), content(message?.content, read)));
  }
  if ([result?.content, result?.contents, result?.messages].some((one) => one?.length > BLOCKS)) {
    parts.push(el("p", { class: "small muted" }, interpolate(gettext("Only the first %(count)s are shown; the JSON has all of them."), { count: BLOCKS })));
  }
  if (!parts.length) parts.push(el("p", { class: "muted small" }, gettext("It gave nothing back.")));
  return [...parts, raw(result)];
}

const listOf = (value) => (Array.isArray(value) ? value.slice(0, BLOCKS) : []);

function raw(value) {
  const details = el("details", {}, el("summary", { class: "small muted" }, gettext("As JSON")));
  details.addEventListener("toggle", () => details.append(code(pretty(value), gettext("Result as JSON"))), { once: true });
  return details;
}

const VISIT_FIRST = -32042; // 2025-11-25 client/elicitation, "URL Elicitation Required Error"

function visits(pages, announce) {
  const words = el("p", {}, gettext("Come back when you are done there, and call again."));
  return [alert("warn", gettext("A page has to be visited first"), words), ...pages.map((each) => visit(each ?? {}, announce))];
}

// What went wrong: an error of the server's with its code, or words of the site's.
export function shownError(error, announce) {
  const pages = error.code === VISIT_FIRST ? listOf(error.data?.elicitations) : [];
  if (pages.length) return visits(pages, announce);
  const name = error.code === undefined ? gettext("This did not work") : interpolate(gettext("The server answered with an error (%(code)s)"), { code: error.code });
  const parts = [alert("bad", name, el("p", {}, visible(error.message)))];
  return error.data === undefined ? parts : [...parts, code(pretty(error.data), gettext("Details of the error"))];
}

export function heading(name, isGood, took) {
  const mark = isGood ? badge(gettext("Done"), "good", "circle-check") : badge(gettext("Failed"), "bad", "circle-x");
  return el("div", { class: "row" }, el("h3", {}, name), mark, el("span", { class: "small muted" }, milliseconds(took)));
}
