// Brings the page's parts up to date every few seconds while something is busy (data-refresh-while is a selector).

import { refreshParts } from "../parts.js";

const EVERY_MS = 3000;

export function connect(element) {
  const timer = setInterval(() => {
    if (!document.hidden && element.querySelector(element.dataset.refreshWhile)) refreshParts().catch(() => {}); // the next round tries again
  }, EVERY_MS);
  return () => clearInterval(timer);
}
