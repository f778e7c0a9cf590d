// Binds behaviours to elements: <form data-controller="submit"> calls connect(form) of controllers/submit.js.
// Elements that arrive later (live parts of a page) are bound as they appear. A controller may return a function
// that undoes it when its element goes away.

import { connect as check } from "./controllers/check.js";
import { connect as copy } from "./controllers/copy.js";
import { connect as elapsed } from "./controllers/elapsed.js";
import { connect as live } from "./controllers/live.js";
import { connect as menu } from "./controllers/menu.js";
import { connect as output } from "./controllers/output.js";
import { connect as pictures } from "./controllers/pictures.js";
import { connect as refresh } from "./controllers/refresh.js";
import { connect as reveal } from "./controllers/reveal.js";
import { connect as search } from "./controllers/search.js";
import { connect as sections } from "./controllers/sections.js";
import { connect as submit } from "./controllers/submit.js";
import { connect as tabs } from "./controllers/tabs.js";
import { connect as theme } from "./controllers/theme.js";
import { connect as waiting } from "./controllers/waiting.js";

const controllers = { check, copy, elapsed, live, menu, output, pictures, refresh, reveal, search, sections, submit, tabs, theme, waiting };
const bound = new Map();

function within(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  return [node, ...node.querySelectorAll("[data-controller]")].filter((element) => element.dataset.controller);
}

function bind(element) {
  if (bound.has(element)) return;
  const undo = element.dataset.controller.split(" ").map((name) => controllers[name]?.(element));
  bound.set(element, undo.filter((step) => typeof step === "function"));
}

function release(element) {
  if (element.isConnected) return; // moved, not removed
  bound.get(element)?.forEach((step) => step());
  bound.delete(element);
}

new MutationObserver((changes) => {
  for (const change of changes) {
    change.removedNodes.forEach((node) => within(node).forEach(release));
    change.addedNodes.forEach((node) => within(node).forEach(bind));
  }
}).observe(document.body, { childList: true, subtree: true });

within(document.body).forEach(bind);
document.documentElement.dataset.ready = ""; // for tests: everything is bound
