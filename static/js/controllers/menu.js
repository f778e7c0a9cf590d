// A <details> menu closes like a menu: on Escape, on a click elsewhere, when focus leaves it.

export function connect(menu) {
  const close = () => menu.removeAttribute("open");
  const outside = (event) => menu.open && !menu.contains(event.target) && close();

  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    close();
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
  });
  document.addEventListener("click", outside);
  return () => document.removeEventListener("click", outside);
}
