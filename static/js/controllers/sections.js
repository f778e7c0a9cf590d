// An address of a section (#limits) leads to the page that has it: all stood on one once.

export function connect(nav) {
  const follow = () => {
    const name = location.hash.slice(1);
    const there = [...nav.querySelectorAll("a")].find((link) => link.dataset.sections.split(" ").includes(name));
    if (there && !there.hasAttribute("aria-current")) location.replace(there.href + location.hash);
  };
  addEventListener("hashchange", follow);
  follow();
  return () => removeEventListener("hashchange", follow);
}
