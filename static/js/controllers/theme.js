// The theme button: system → light → dark, kept in this browser.

import { THEMES, applyTheme, storedTheme } from "../theme.js";

export function connect(button) {
  function show(theme) {
    for (const icon of button.querySelectorAll("[data-theme-icon]")) icon.hidden = icon.dataset.themeIcon !== theme;
    const label = button.dataset[`${theme}Label`];
    button.setAttribute("aria-label", label);
    button.title = label;
  }

  button.addEventListener("click", () => {
    const theme = THEMES[(THEMES.indexOf(storedTheme()) + 1) % THEMES.length];
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Storage is switched off: the choice lasts for this page.
    }
    applyTheme(theme);
    show(theme);
  });
  show(storedTheme());
  button.hidden = false;
}
