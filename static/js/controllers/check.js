// Checks a form while it is typed: sends it as its Check button would and takes over the parts of the answer that show
// what is wrong, [data-part] by [data-part]. The fields stay as they are. Without it the button does the same.

const PAUSE_MS = 400;

export function connect(form) {
  let timer;
  let asked = 0;

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
    for (const link of form.querySelectorAll("[data-part] .is-error a")) reveal(link);
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
  form.addEventListener("submit", () => clearTimeout(timer));
  return () => clearTimeout(timer);
}
