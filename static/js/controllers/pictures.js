// Asks again for pictures that the site was still fetching when the page wanted them; until then each is 1 × 1 px.

const PAUSES_MS = [1000, 2000, 4000, 8000, 15000];

export function connect(element) {
  const timers = new Set();

  function look(image) {
    const asked = Number(image.dataset.asked ?? 0);
    if (image.naturalWidth > 1 || asked >= PAUSES_MS.length) return image.removeAttribute("data-pending");
    const timer = setTimeout(() => {
      timers.delete(timer);
      image.dataset.asked = asked + 1;
      const address = new URL(image.src);
      address.search = `?${asked + 1}`; // the browser has an answer to the address before
      image.src = address;
    }, PAUSES_MS[asked]);
    timers.add(timer);
  }

  for (const image of element.querySelectorAll("img[data-pending]")) {
    image.addEventListener("load", () => look(image));
    if (image.complete && image.naturalWidth) look(image);
  }
  return () => timers.forEach(clearTimeout);
}
