// Checks a form while it is typed: sends it as its Check button would and takes over the parts of the answer that show
// what is wrong, [data-part] by [data-part]. What is typed stays as it is; what is wrong with a field that was left
// after a change, or that said so before, is told at the field. Without it the button does the same.

const PAUSE_MS = 400;

export function connect(form) {
  let timer;
  let asked = 0;
  const left = new Set(); // names of fields

  async function check() {
    const mine = ++asked;
    const fields = new FormData(form);
    fields.set("action", "check");
    let text;
    try {
      const answer = await fetch(location.href, { method: "POST", body: fields, cache: "no-store" });
      if (answer.redirected || ![200, 400].includes(answer.status)) return; // its button will say why
      text = await answer.text();
    } catch {
      return; // offline: the next change asks again
    }
    if (mine !== asked) return;
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of form.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (next && next.innerHTML !== part.innerHTML) part.replaceChildren(...next.childNodes);
    }
    for (const control of form.querySelectorAll(".field [id][name]")) tell(control, fresh.getElementById(control.id));
    for (const link of form.querySelectorAll("[data-part] .is-error a")) reveal(link);
  }

  function tell(control, next) {
    const told = control.closest(".field").querySelector(":scope > .errorlist");
    if (!told && !left.has(control.name)) return;
    told?.remove();
    const said = next?.closest(".field").querySelector(":scope > .errorlist");
    if (said) control.after(said);
    for (const name of ["aria-invalid", "aria-describedby"]) {
      if (next?.hasAttribute(name)) control.setAttribute(name, next.getAttribute(name));
      else control.removeAttribute(name);
    }
  }

  // What is wrong must not lie in a section that is folded.
  function reveal(link) {
    const fold = form.querySelector(link.hash)?.closest("details");
    if (fold) fold.open = true;
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE_MS);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", (event) => {
    left.add(event.target.name);
    soon();
  });
  form.addEventListener("submit", () => clearTimeout(timer));
  return () => clearTimeout(timer);
}
