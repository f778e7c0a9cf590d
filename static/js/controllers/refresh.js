// Brings the page's parts up to date every few seconds while something is busy (data-refresh-while is a selector), and
// with data-refresh-on="waiting" when another list waits for the visitor than the page shows.

import { refreshParts } from "../parts.js";

const EVERY_MS = 3000;

export function connect(element) {
  const timer = setInterval(() => {
    if (!document.hidden && element.querySelector(element.dataset.refreshWhile)) refreshParts().catch(() => {}); // the next round tries again
  }, EVERY_MS);
  const told = ({ detail }) => {
    if (element.querySelector("[data-waiting-mark]")?.dataset.waitingMark !== detail) refreshParts().catch(() => {});
  };
  if (element.dataset.refreshOn === "waiting") document.addEventListener("waiting", told);
  return () => {
    clearInterval(timer);
    document.removeEventListener("waiting", told);
  };
}
