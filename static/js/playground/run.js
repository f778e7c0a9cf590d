// One request while it runs and after: progress, what the server logs, a way to cancel it, and what came of it.

import { gettext, interpolate } from "../gettext.js";
import { alert, button, el, icon } from "./dom.js";
import { heading, shownError, shownResult } from "./result.js";
import { milliseconds, pretty, visible } from "./words.js";

const LINES = 500;
const TOGETHER_MS = 50;

export class Run {
  element = el("div", { class: "playground-run stack" });
  #stop = null;
  #app = null;

  // `announce(words)` tells them to who can't see the page; `read(uri)` opens a resource.
  constructor({ announce, read }) {
    this.announce = announce;
    this.read = read;
  }

  // Runs `send({ progress, log, signal })` and shows how it goes. A run that is under way is cancelled by the next one.
  // `appOf(result)` is what the server brings to show it, or null.
  async start(name, send, appOf = async () => null) {
    this.cancel();
    this.#app?.close("The tool is called again.");
    const stop = (this.#stop = new AbortController());
    const began = performance.now();
    const { parts, on, end } = this.#running(name, stop, began);
    this.element.replaceChildren(...parts);
    this.element.scrollIntoView({ block: "nearest" });
    let shown;
    let isGood = false;
    let app = null;
    try {
      const result = await send({ ...on, signal: stop.signal });
      isGood = !result?.isError;
      shown = shownResult(result, this.read);
      app = await appOf(result);
    } catch (error) {
      shown = stop.signal.aborted ? [alert("warn", gettext("Cancelled"), el("p", {}, gettext("The server was told to stop.")))] : shownError(error, this.announce);
    }
    const kept = end();
    if (this.#stop !== stop) return; // a later one has the place
    const took = performance.now() - began;
    this.#app = app;
    this.element.replaceChildren(heading(name, isGood, took), ...kept, ...(app ? [app.element] : []), ...shown);
    const outcome = isGood ? gettext("%(name)s: done after %(time)s") : gettext("%(name)s: failed after %(time)s");
    this.announce(interpolate(outcome, { name, time: milliseconds(took) }));
    this.#stop = null;
  }

  cancel() {
    this.#stop?.abort();
  }

  #running(name, stop, began) {
    const bar = el("progress", { class: "progress", "aria-label": interpolate(gettext("Progress of %(name)s"), { name }) });
    const words = el("p", { class: "small muted mono break" }, gettext("Waiting for the server…"));
    const elapsed = el("span", { class: "small muted number" });
    const tick = () => (elapsed.textContent = milliseconds(performance.now() - began));
    const timer = setInterval(tick, 200);
    tick();
    const lines = el("ol", { class: "playground-log", "aria-label": gettext("Log of the server"), tabindex: "0", hidden: true });
    // Some at once: a place that is scrolled anew for each would take the page all its time.
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
    const head = el(
      "div",
      { class: "row" },
      icon("loader-circle", true),
      el("h3", {}, name),
      elapsed,
      button(gettext("Cancel"), () => stop.abort(), "button-small"),
    );
    this.announce(interpolate(gettext("%(name)s: running"), { name }));
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
}
