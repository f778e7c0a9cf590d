// Markdown as elements: the part of CommonMark that models write. It makes elements of its own and text, never markup
// out of what it reads, so nothing in it has to be sanitised. Pictures stay words: no page is told who reads this.

import { gettext } from "../gettext.js";
import { code, el, outside } from "./dom.js";
import { visible } from "./words.js";

const BLOCK = /^(#{1,6}\s|```|\s*[-*+]\s|\s*\d{1,9}[.)]\s|>)/;
// Each part has an end: without, a text of nothing but brackets would keep the page busy for minutes.
const INLINE =
  /(?<!`)(`{1,9})(?!`)(.{1,2000}?)(?<!`)\1(?!`)|\*\*(.{1,2000}?)\*\*|__(.{1,2000}?)__|(?<![\w*])\*([^*\s][^*]{0,2000})\*|(?<![\w_])_([^_\s][^_]{0,2000})_(?!\w)|!?\[([^[\]]{0,2000})\]\(([^\s()]{1,2000})\)/g;

// Whether a text looks as if it was meant as Markdown: JSON, tables and plain words are better left alone.
export const looksLikeMarkdown = (text) =>
  /^#{1,6} \S|^```|\*\*\S[^\n]{0,2000}\*\*|^[ \t]{0,20}[-*] \S[^\n]{0,2000}\n[ \t]{0,20}[-*] \S|\[[^[\]\n]{1,2000}\]\(https?:/m.test(text) && !/^\s*[[{]/.test(text);

export function inline(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(visible(text.slice(from, found.index)));
    const [whole, , verbatim, strong, strong2, soft, soft2, label, address] = found;
    if (verbatim !== undefined) parts.push(el("code", {}, visible(verbatim.trim())));
    else if (strong ?? strong2) parts.push(el("strong", {}, inline(strong ?? strong2)));
    else if (soft ?? soft2) parts.push(el("em", {}, inline(soft ?? soft2)));
    else parts.push(outside(address, visible(label || address)));
    from = found.index + whole.length;
  }
  return [...parts, visible(text.slice(from))];
}

// How many lines from `start` on belong together.
function run(lines, start, belongs) {
  let end = start;
  while (end < lines.length && belongs(lines[end], end)) end += 1;
  return end - start;
}

function fence(lines, start) {
  const length = run(lines, start + 1, (line) => !line.startsWith("```"));
  return [code(visible(lines.slice(start + 1, start + 1 + length).join("\n")), gettext("Code")), length + 2];
}

function list(lines, start) {
  const mark = /^\s*(\d{1,9}[.)]|[-*+])\s+/;
  const isOrdered = /^\s*\d/.test(lines[start]);
  const length = run(lines, start, (line) => mark.test(line) || (/^\s+\S/.test(line) && line.trim() !== ""));
  const items = [];
  for (const line of lines.slice(start, start + length)) {
    if (mark.test(line)) items.push(line.replace(mark, ""));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return [el(isOrdered ? "ol" : "ul", {}, items.map((item) => el("li", {}, inline(item)))), length];
}

function quote(lines, start) {
  const length = run(lines, start, (line) => line.startsWith(">"));
  const words = lines.slice(start, start + length).map((line) => line.replace(/^>\s?/, "")).join(" ");
  return [el("blockquote", {}, inline(words)), length];
}

function paragraph(lines, start) {
  const length = Math.max(1, run(lines, start, (line) => line.trim() !== "" && !BLOCK.test(line)));
  return [el("p", {}, inline(lines.slice(start, start + length).join("\n"))), length];
}

// Without the signs that may close a heading. Not by an expression, which would look for them from each place anew.
function withoutEnd(words) {
  let end = words.length;
  while (end > 0 && "# \t".includes(words[end - 1])) end -= 1;
  return words.slice(0, end).trimStart();
}

function block(lines, at) {
  const line = lines[at];
  const heading = /^(#{1,6})\s(.*)$/.exec(line);
  if (heading) return [el(`h${Math.min(6, heading[1].length + 3)}`, {}, inline(withoutEnd(heading[2]))), 1]; // below the page's own
  if (line.startsWith("```")) return fence(lines, at);
  if (/^\s*(?:\d{1,9}[.)]|[-*+])\s/.test(line)) return list(lines, at);
  return line.startsWith(">") ? quote(lines, at) : paragraph(lines, at);
}

export function markdown(text) {
  const lines = text.split(/\r\n|\n|\r/);
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    if (lines[at].trim() === "") {
      at += 1;
      continue;
    }
    const [element, length] = block(lines, at);
    blocks.push(element);
    at += length;
  }
  return el("div", { class: "playground-markdown" }, blocks);
}
