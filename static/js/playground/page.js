// The Playground: puts its parts together and into the page (templates/hosting/playground.html).

import { Connection } from "./connection.js";
import { button, el } from "./dom.js";
import { Listing } from "./listing.js";
import { CAPABILITIES, questions } from "./questions.js";
import { shownError } from "./result.js";
import { Tokens } from "./token.js";
import { toolPanel } from "./tools.js";
import { Trace } from "./trace.js";
import { followTrace } from "./trace_panel.js";
import { Transport } from "./transport.js";
import { visible } from "./words.js";

const root = document.querySelector("[data-playground]");
const part = (name) => root.querySelector(`[data-playground-${name}]`);
const announce = (words) => (part("announce").textContent = visible(words));

const trace = new Trace();
const csrf = root.querySelector("[name=csrfmiddlewaretoken]").value;
const transport = new Transport(root.dataset.endpoint, new Tokens(root.dataset.tokenPath, csrf), trace);
const chosen = part("chosen");
const context = { announce };
let connection = null;

function show(element) {
  chosen.replaceChildren(element);
  chosen.querySelector("h2")?.focus({ preventScroll: true });
  chosen.scrollIntoView({ block: "nearest" });
}

const tools = new Listing({
  label: "tools",
  empty: "This server offers no tools.",
  open: (tool) => show(toolPanel(tool, { call: (...call) => connection.call(...call), context })),
});
part("tools").append(tools.element);

async function fill(listing, capability, load) {
  if (!connection.has(capability)) return listing.show([]);
  listing.say("Loading…");
  try {
    listing.show(await load());
  } catch (error) {
    listing.say(visible(error.message));
  }
}

const toolItems = async () =>
  (await connection.list("tools/list", "tools")).map((tool) => ({ label: tool.name, about: tool.title ?? tool.description, item: tool }));

function heard({ method }) {
  if (method === "notifications/tools/list_changed") fill(tools, "tools", toolItems);
}

async function connect() {
  connection?.close();
  const mine = new Connection(transport, part("revision").value, {
    capabilities: CAPABILITIES,
    answer: questions(part("questions"), announce),
    heard,
  });
  connection = mine;
  root.dataset.state = "connecting";
  part("status").textContent = "Connecting…";
  tools.say("Connecting…");
  try {
    await mine.connect();
    if (connection !== mine) return;
    root.dataset.state = "connected";
    part("status").textContent = `Connected to ${visible(mine.server || "the server")}`;
    part("problem").replaceChildren();
    await fill(tools, "tools", toolItems);
  } catch (error) {
    if (connection === mine) failed(error);
  }
}

function failed(error) {
  root.dataset.state = "failed";
  part("status").textContent = "Not connected";
  tools.say("They are listed once the server is connected.");
  part("problem").replaceChildren(...shownError(error), el("p", {}, button("Try again", connect, "button-small")));
}

followTrace(trace, { list: part("trace"), count: part("trace-count"), clear: part("trace-clear") });
part("revision").addEventListener("change", connect);
part("reconnect").addEventListener("click", connect);
addEventListener("pagehide", () => connection?.close());
connect();
