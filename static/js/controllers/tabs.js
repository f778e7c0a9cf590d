// Remembers which tab was chosen, in this browser and for every group with the same key.

export function connect(group) {
  const key = `tabs:${group.dataset.tabsKey}`;
  try {
    const chosen = localStorage.getItem(key);
    const tab = [...group.querySelectorAll(":scope > .tabs-row > input")].find((input) => input.value === chosen);
    if (tab) tab.checked = true;
    group.addEventListener("change", (event) => localStorage.setItem(key, event.target.value));
  } catch {
    // Storage is switched off: the tabs work all the same.
  }
}
