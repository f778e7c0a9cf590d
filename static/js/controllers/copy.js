// A code block's copy button. The clipboard needs a secure context; elsewhere the button selects the text instead.

export function connect(element) {
  const source = element.querySelector("[data-copy-source]");
  const button = element.querySelector("[data-copy-button]");
  const label = button.getAttribute("aria-label");
  const icon = button.querySelector("use");
  const sheet = icon.getAttribute("href").split("#")[0];
  let timer;

  function selectText() {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }

  function show(copied) {
    button.toggleAttribute("data-copied", copied);
    button.setAttribute("aria-label", copied ? button.dataset.copiedLabel : label);
    icon.setAttribute("href", `${sheet}#${copied ? "check" : "copy"}`);
  }

  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      selectText();
      return;
    }
    show(true);
    clearTimeout(timer);
    timer = setTimeout(() => show(false), 2000);
  });
  button.title = label;
  button.hidden = false;
  return () => clearTimeout(timer);
}
