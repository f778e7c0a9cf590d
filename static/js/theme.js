// Applies the reader's stored choice of theme before the first paint (loaded with blocking="render").
// Without one, `color-scheme: light dark` follows the system.

export const THEMES = ["system", "light", "dark"];

export function storedTheme() {
  try {
    const theme = localStorage.getItem("theme");
    return THEMES.includes(theme) ? theme : "system";
  } catch {
    return "system"; // storage is switched off
  }
}

export function applyTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

applyTheme(storedTheme());
