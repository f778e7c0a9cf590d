// Brings parts of the page up to date: fetches the page again and swaps what changed, [data-part] by [data-part].
// So the server renders each part in one place only, with or without JavaScript.

const TOKENS = /name="csrfmiddlewaretoken" value="[^"]*"/g; // another one in every answer
const rendered = new WeakMap(); // as the server sent each part, before controllers touched it

const html = (part) => part.innerHTML.replace(TOKENS, "");
for (const part of document.querySelectorAll("[data-part]")) rendered.set(part, html(part));

// What the reader has typed stays, in fields that are still there.
function isTyped(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return "defaultValue" in field ? field.value !== field.defaultValue : true;
}

function typed(part) {
  const fields = [...part.querySelectorAll("input[id], textarea[id], select[id]")].filter(isTyped);
  return fields.map(({ id, value, checked }) => ({ id, value, checked }));
}

function retype(part, before) {
  for (const { id, value, checked } of before) {
    const field = part.querySelector(`#${CSS.escape(id)}`);
    if (!field || field.type === "hidden" || field.type === "file") continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = checked;
    else field.value = value;
  }
}

// What the reader has opened stays open, and the button that has the focus keeps it,
// or hands it to its neighbour when it is gone.
function swap(part, next) {
  const opened = [...part.querySelectorAll("details")].map((details) => details.open);
  const details = next.querySelectorAll("details");
  if (details.length === opened.length) details.forEach((each, i) => (each.open = opened[i]));
  const action = part.contains(document.activeElement) && document.activeElement.closest("form")?.getAttribute("action");
  const before = typed(part);
  const field = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceChildren(...next.childNodes);
  retype(part, before);
  if (field && part.querySelector(`#${CSS.escape(field)}`)) return part.querySelector(`#${CSS.escape(field)}`).focus();
  if (!action) return;
  const same = part.querySelector(`form[action="${CSS.escape(action)}"] button`);
  (same ?? part.querySelector("button"))?.focus();
}

// A form that was sent leads to another page: nothing may be loaded in its place, not even news of what it did.
let isLeaving = false;
addEventListener("submit", (event) => (isLeaving = !event.defaultPrevented));
addEventListener("pageshow", () => (isLeaving = false));

export async function refreshParts() {
  const asked = location.href;
  const answer = await fetch(asked, { cache: "no-store" });
  if (isLeaving) return;
  if (answer.redirected || [401, 403, 404].includes(answer.status)) {
    location.reload(); // signed out, or gone: the page itself says it best
    return;
  }
  if (!answer.ok) throw new Error(`The page answered ${answer.status}`);
  if (location.href !== asked) return; // the address went on meanwhile, and so will another answer
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!next || html(next) === rendered.get(part)) continue;
    rendered.set(part, html(next));
    swap(part, next);
  }
}
