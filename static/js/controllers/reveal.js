// An address (#…) of something in a fold opens the fold. Most browsers do so by themselves.

export function connect() {
  const reveal = () => {
    const there = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folds = [...document.querySelectorAll("details:not([open])")].filter((fold) => fold.contains(there));
    for (const fold of folds) fold.open = true;
    if (folds.length) there.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  return () => removeEventListener("hashchange", reveal);
}
