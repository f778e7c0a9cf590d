// Follows one deployment over a websocket. State, tools and instances: the parts of the page are fetched anew.
// Build progress and output lines come in the message itself. A lost connection is taken up again with back-off.

import { refreshParts } from "../parts.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const FINAL_CODES = [4401, 4403, 4404]; // not allowed, or gone: asking again changes nothing

export function connect(element) {
  const address = new URL(element.dataset.livePath, location.href.replace(/^http/, "ws"));
  const status = element.querySelector("[data-live-status]");
  let socket, retry, refreshing;
  let wait = FIRST_WAIT_MS;
  let isClosed = false;

  function show(state) {
    status.dataset.state = state;
    status.textContent = status.dataset[`${state}Label`];
  }

  function announce() {
    const text = element.querySelector("[data-announce]")?.dataset.announce;
    const place = element.querySelector("[data-live-announce]");
    if (text && place.textContent !== text) place.textContent = text;
  }

  // Several changes at once make one request, and one more if something came while it ran.
  let isStale = false;
  async function refresh() {
    isStale = true;
    if (refreshing) return;
    while (isStale && !isClosed) {
      isStale = false;
      refreshing = refreshParts().then(announce, () => {});
      await refreshing;
    }
    refreshing = null;
  }

  function progress({ text, fraction }) {
    const bar = element.querySelector("[data-build-progress]");
    if (!bar) return void refresh();
    if (fraction == null) bar.removeAttribute("value");
    else bar.value = fraction;
    element.querySelector("[data-build-text]").textContent = text;
  }

  // The first message tells the state as it is; most often that is what the page shows already.
  function isNews({ state, reason }) {
    const shown = element.querySelector("[data-announce]").dataset;
    return shown.state !== state || shown.reason !== reason;
  }

  function take(message) {
    if (message.position) address.searchParams.set("after", message.position); // what is on the page comes no second time
    if (message.type === "build") progress(message);
    else if (message.type === "output") {
      element.querySelector('[data-controller~="output"]')?.dispatchEvent(new CustomEvent("lines", { detail: message.lines }));
    } else if (message.type !== "state" || isNews(message)) refresh();
  }

  function open(isAgain) {
    socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      wait = FIRST_WAIT_MS;
      show("live");
      if (isAgain) refresh(); // what happened meanwhile
    });
    socket.addEventListener("message", (event) => take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (isClosed) return;
      if (FINAL_CODES.includes(event.code)) return show("off");
      show("retrying");
      retry = setTimeout(() => open(true), wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  open(false);
  return () => {
    isClosed = true;
    clearTimeout(retry);
    socket.close();
  };
}
