// An address (#…) of something in a fold opens the fold. Most browsers do so by themselves.

export function connect() {
  const reveal = () => {
    const fold = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details:not([open])");
    if (!fold) return;
    fold.open = true;
    fold.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  return () => removeEventListener("hashchange", reveal);
}
