// The blocks of a result (2025-11-25 and 2026-07-28 server/tools, "Tool Result"): words, pictures, recordings, links.

import { gettext, interpolate } from "../gettext.js";
import { badge, button, code, el, icon, outside } from "./dom.js";
import { looksLikeMarkdown, markdown } from "./markdown.js";
import { octets, pretty, visible } from "./words.js";

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
const AUDIO = /^audio\/[a-z0-9.+-]{1,40}$/;
const LONGEST = 100_000; // characters that are shown

function blobOf(data, type) {
  const text = atob(data);
  return new Blob([Uint8Array.from(text, (character) => character.charCodeAt(0))], { type });
}

const unreadable = (block) => code(pretty(block), gettext("Content that can't be shown"));

// A picture as data:, which the site's policy allows for images; nothing in it can run.
function image(data, type, name) {
  if (!IMAGES.includes(type)) return file(data, type, name);
  atob(data); // raises where it is no base64
  return el("img", { class: "playground-image", src: `data:${type};base64,${data}`, alt: name || gettext("Image from the result") });
}

function audio(data, type, name) {
  if (!AUDIO.test(type)) return file(data, type, name);
  const src = URL.createObjectURL(blobOf(data, type));
  return el("audio", { controls: true, src, "aria-label": name || gettext("Recording from the result") });
}

// Anything else is kept, never opened: it is downloaded as octets of nobody's.
function file(data, type, name) {
  const blob = blobOf(data, "application/octet-stream");
  const link = el("a", { class: "button", href: URL.createObjectURL(blob), download: name || "content" }, gettext("Download"));
  return el("p", { class: "row" }, link, el("span", { class: "small muted mono break" }, visible(type ?? ""), " · ", octets(blob.size)));
}

export function words(text, label = gettext("Text"), type = "") {
  const shown = visible(text.slice(0, LONGEST));
  const cut = text.length > LONGEST ? [el("p", { class: "small muted" }, gettext("Only the beginning is shown; the JSON has all of it."))] : [];
  if (type !== "text/markdown" && (type !== "" || !looksLikeMarkdown(shown))) return el("div", {}, code(shown, label), cut);
  const plain = el("details", {}, el("summary", { class: "small muted" }, gettext("As text")), code(shown, label));
  return el("div", { class: "stack" }, markdown(shown), plain, cut);
}

// What resources/read gives, and what a result has inside: { uri, mimeType, text } or { uri, mimeType, blob }.
function resource(found) {
  const head = el("p", { class: "small muted mono break" }, visible(found.uri ?? ""), found.mimeType ? ` · ${visible(found.mimeType)}` : "");
  const name = String(found.uri ?? "").split("/").pop();
  if (typeof found.text === "string") return el("div", { class: "stack" }, head, words(found.text, interpolate(gettext("Text of %(name)s"), { name }), found.mimeType ?? ""));
  return el("div", { class: "stack" }, head, medium(found.blob ?? "", found.mimeType ?? "", name));
}

function medium(data, type, name) {
  if (IMAGES.includes(type)) return image(data, type, name);
  return AUDIO.test(type) ? audio(data, type, name) : file(data, type, name);
}

function link({ uri = "", name, title, description, mimeType }, read) {
  const isWeb = /^https?:/i.test(uri);
  const label = visible(title ?? name ?? uri);
  return el(
    "div",
    { class: "playground-link" },
    el("p", { class: "row" }, icon("external-link"), isWeb ? outside(uri, label) : label, mimeType ? badge(visible(mimeType)) : []),
    el("p", { class: "small muted mono break" }, visible(uri)),
    description ? el("p", { class: "small" }, visible(description)) : [],
    read ? el("div", {}, button(gettext("Read"), () => read(uri), "button-small", { "aria-label": interpolate(gettext("Read %(label)s"), { label }) })) : [],
  );
}

const SHOWN = {
  text: (block) => words(String(block.text ?? "")),
  image: (block) => image(block.data, block.mimeType, ""),
  audio: (block) => audio(block.data, block.mimeType, ""),
  resource: (block) => resource(block.resource),
  resource_link: (block, read) => link(block, read),
};

// One block as an element. `read(uri)`: what the button of a link does. Whatever is broken is shown as it came.
export function content(block, read) {
  const shown = Object.hasOwn(SHOWN, block?.type ?? "") ? SHOWN[block.type] : unreadable;
  return orAsItCame(shown, block, read);
}

// One of what resources/read gives.
export const resourceOf = (found) => orAsItCame(resource, found);

function orAsItCame(shown, block, ...more) {
  try {
    return shown(block, ...more);
  } catch {
    return unreadable(block);
  }
}
