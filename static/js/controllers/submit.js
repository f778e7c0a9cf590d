// A form is sent once: its buttons rest until the next page is there.

export function connect(form) {
  const rest = (isResting) => form.querySelectorAll("button").forEach((button) => (button.ariaDisabled = String(isResting)));
  let isSent = false;

  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
    rest(true);
  });
  // Coming back through the browser's history shows the page as it was left.
  const wake = (event) => {
    if (!event.persisted) return;
    isSent = false;
    rest(false);
  };
  addEventListener("pageshow", wake);
  return () => removeEventListener("pageshow", wake);
}
