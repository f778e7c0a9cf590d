// The header's count of what waits for the visitor, kept up to date over a websocket. What changes is told to the page,
// too, as an event "waiting" with the mark of the list.

const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 60_000;
const FINAL_CODES = [4401, 4403, 4404];

export function connect(link) {
  const address = new URL(link.dataset.livePath, location.href.replace(/^http/, "ws"));
  let socket, retry;
  let wait = FIRST_WAIT_MS;
  let isClosed = false;

  function show(count) {
    link.hidden = count === 0;
    link.querySelector("[data-waiting-count]").textContent = count;
    const label = count === 1 ? link.dataset.oneLabel : link.dataset.manyLabel.replace("{count}", count);
    link.querySelector("[data-waiting-label]").textContent = label;
  }

  function open() {
    socket = new WebSocket(address);
    socket.addEventListener("open", () => (wait = FIRST_WAIT_MS));
    socket.addEventListener("message", (event) => {
      const { count, reason } = JSON.parse(event.data);
      show(count);
      document.dispatchEvent(new CustomEvent("waiting", { detail: reason }));
    });
    socket.addEventListener("close", (event) => {
      if (isClosed || FINAL_CODES.includes(event.code)) return;
      retry = setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  open();
  return () => {
    isClosed = true;
    clearTimeout(retry);
    socket.close();
  };
}
