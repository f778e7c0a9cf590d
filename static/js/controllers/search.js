// Search as you type: the address follows what is typed and chosen, and the page's parts follow the address.
// Without it the form is sent by its button.

import { refreshParts } from "../parts.js";

const PAUSE_MS = 180;

export function connect(form) {
  const input = form.querySelector("[data-search-input]");
  let timer, asked = 0;

  function address() {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) fields.append(name, value);
    const found = new URL(form.action);
    found.search = fields.toString();
    return found;
  }

  async function show() {
    const mine = ++asked;
    const there = address();
    if (there.href === location.href) return;
    history.replaceState(null, "", there);
    form.setAttribute("aria-busy", "true");
    try {
      await refreshParts();
    } catch {
      if (mine === asked) form.submit(); // the page itself says what is wrong
    }
    if (mine === asked) form.removeAttribute("aria-busy");
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE_MS);
  };
  const chosen = (event) => {
    if (event.target !== input && event.target.name) soon();
  };

  input.addEventListener("input", soon);
  form.addEventListener("change", chosen);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    show();
  });
  return () => clearTimeout(timer);
}
