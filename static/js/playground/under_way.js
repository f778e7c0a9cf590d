// What stands in the place of a result while its request runs: progress, what the server logs, a way to cancel it.

import { gettext, interpolate } from "../gettext.js";
import { button, el, icon } from "./dom.js";
import { milliseconds, pretty, visible } from "./words.js";

const LINES = 500;
const TOGETHER_MS = 50;

// Returns { parts, on, end }: elements; what to call with news of it; `end()` gives what stays when it is over.
export function underWay(name, { cancel, began, announce }) {
  const bar = el("progress", { class: "progress", "aria-label": interpolate(gettext("Progress of %(name)s"), { name }) });
  const words = el("p", { class: "small muted mono break" }, gettext("Waiting for the server…"));
  const elapsed = el("span", { class: "small muted number" });
  const tick = () => (elapsed.textContent = milliseconds(performance.now() - began));
  const timer = setInterval(tick, 200);
  tick();
  const { lines, add, show } = logged();
  const head = el(
    "div",
    { class: "row" },
    icon("loader-circle", true),
    el("h3", {}, name),
    elapsed,
    button(gettext("Cancel"), cancel, "button-small"),
  );
  announce(interpolate(gettext("%(name)s: running"), { name }));
  const on = {
    said: (text) => (words.textContent = visible(text)),
    task: (id) => head.append(el("a", { href: `/tasks/${encodeURIComponent(id)}/`, class: "small" }, gettext("Page of this task"))),
    progress: (params) => {
      const { progress, total, message } = params ?? {};
      const isPart = Number.isFinite(progress) && Number.isFinite(total) && total > 0;
      if (isPart) [bar.max, bar.value] = [total, progress];
      words.textContent = [isPart ? interpolate(gettext("%(progress)s of %(total)s"), { progress, total }) : progress, message].filter(Boolean).map(visible).join(" · ");
    },
    log: (params) => {
      const { level, logger, data } = params ?? {};
      const text = typeof data === "string" ? data : pretty(data);
      add(el("li", {}, el("span", { class: "muted" }, [level, logger].filter(Boolean).map(visible).join(" ")), " ", visible(text)));
    },
  };
  const end = () => {
    clearInterval(timer);
    show();
    return lines.hidden ? [] : [lines];
  };
  return { parts: [head, bar, words, lines], on, end };
}

// The latest lines. Some are added at once: a place that is scrolled anew for each would take the page all its time.
function logged() {
  const lines = el("ol", { class: "playground-log", "aria-label": gettext("Log of the server"), tabindex: "0", hidden: true });
  let fresh = [];
  const show = () => {
    if (!fresh.length) return;
    lines.append(...fresh);
    fresh = [];
    while (lines.childElementCount > LINES) lines.firstElementChild.remove();
    lines.hidden = false;
    lines.scrollTop = lines.scrollHeight;
  };
  const add = (line) => {
    if (!fresh.length) setTimeout(show, TOGETHER_MS);
    fresh.push(line);
    if (fresh.length > LINES) fresh.shift();
  };
  return { lines, add, show };
}
