// The output panel: takes lines as they come (the "lines" event of live.js), keeps the last ones, and follows the
// end unless the reader has scrolled up. Lines that the filter leaves out are not shown.

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC" });

function render({ at, instance, stream, line }) {
  const row = document.createElement("div");
  row.className = stream === "protocol" ? "output-line output-protocol" : "output-line";
  const time = document.createElement("time");
  const when = new Date(at);
  time.dateTime = when.toISOString();
  time.title = `${when.toISOString()} · ${instance ?? ""}`;
  time.textContent = CLOCK.format(when);
  const text = document.createElement("span");
  text.textContent = line;
  text.translate = false; // a program's words, which no browser should turn into others
  row.append(time, text);
  return row;
}

export function connect(panel) {
  const limit = Number(panel.dataset.outputLimit);
  const { outputStream: stream = "", outputText: text = "" } = panel.dataset;
  const isWanted = (line) => (!stream || line.stream === stream) && line.line.toLowerCase().includes(text.toLowerCase());
  const toEnd = () => (panel.scrollTop = panel.scrollHeight);

  panel.addEventListener("lines", (event) => {
    const lines = event.detail.filter(isWanted);
    if (!lines.length) return;
    const isAtEnd = panel.scrollHeight - panel.scrollTop - panel.clientHeight < 24;
    panel.querySelector("[data-output-empty]")?.remove();
    panel.append(...lines.map(render));
    while (panel.childElementCount > limit) panel.firstElementChild.remove();
    if (isAtEnd) toEnd();
  });
  toEnd();
}
