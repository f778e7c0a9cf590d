// What people can't see but a model reads, written out as ⟦U+200B⟧ (hosting/tools/invisible.py says which; the same rule),
// and numbers and times as people read them.

import { gettext, interpolate, ngettext } from "../gettext.js";

const ODD =
  /[\p{Cf}\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u17b4\u17b5\u034f\u2800\u180b-\u180d\u180f\ufe00-\ufe0d\u{e0100}-\u{e01ef}]/gu;
const PLAIN = "\t\n\r ";

function named(character) {
  if (PLAIN.includes(character)) return character;
  const number = character.codePointAt(0);
  const hidden = number >= 0xe0020 && number <= 0xe007e ? ` “${String.fromCharCode(number - 0xe0000)}”` : "";
  return `⟦U+${number.toString(16).toUpperCase().padStart(4, "0")}${hidden}⟧`;
}

// Each to stand on a line of its own: what happened, then what to do.
export const sentences = (text) => text.split(/(?<=[.!?])\s+(?=\p{Lu})/u);

// What is no text is written as JSON: an object of somebody else's may have a `toString` of its own.
const written = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));

export const visible = (text) => written(text).replace(ODD, named);
export const hasInvisible = (text) => visible(text) !== written(text);

export const pretty = (value) => visible(JSON.stringify(value, null, 2) ?? gettext("nothing"));

// With one digit behind the point, or whatever the page's language has in its place.
const tenths = (value) =>
  value.toLocaleString(document.documentElement.lang || "en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function milliseconds(value) {
  if (value < 1000) return interpolate(gettext("%(count)s ms"), { count: Math.round(value) });
  return value < 60_000
    ? interpolate(gettext("%(seconds)s s"), { seconds: tenths(value / 1000) })
    : interpolate(gettext("%(minutes)s min %(seconds)s s"), { minutes: Math.floor(value / 60_000), seconds: Math.round((value % 60_000) / 1000) });
}

export function octets(count) {
  if (count < 1024) return interpolate(ngettext("%(count)s byte", "%(count)s bytes", count), { count });
  return count < 1024 ** 2
    ? interpolate(gettext("%(count)s KB"), { count: tenths(count / 1024) })
    : interpolate(gettext("%(count)s MB"), { count: tenths(count / 1024 ** 2) });
}
