// One request while it runs and after: progress, what the server logs, a way to cancel it, and what came of it.

import { gettext, interpolate } from "../gettext.js";
import { alert, el } from "./dom.js";
import { heading, shownError, shownResult } from "./result.js";
import { underWay } from "./under_way.js";
import { milliseconds } from "./words.js";

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
    const { parts, on, end } = underWay(name, { cancel: () => stop.abort(), began, announce: this.announce });
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
}
