// The Playground: puts its parts together and into the page (templates/hosting/playground.html).

import { gettext, interpolate } from "../gettext.js";
import { Connection } from "./connection.js";
import { alert, button, el } from "./dom.js";
import { Shelves } from "./shelves.js";
import { Tokens } from "./token.js";
import { Trace } from "./trace.js";
import { followTrace } from "./trace_panel.js";
import { Transport } from "./transport.js";
import { completed } from "./visiting.js";
import { sentences, visible } from "./words.js";

const root = document.querySelector("[data-playground]");
const part = (name) => root.querySelector(`[data-playground-${name}]`);
const unchosen = part("unchosen"); // leaves the page with the first choice
const invitation = [...unchosen.children];
const announce = (words) => (part("announce").textContent = visible(words));

const trace = new Trace();
const csrf = root.querySelector("[name=csrfmiddlewaretoken]").value;
const transport = new Transport(root.dataset.endpoint, new Tokens(root.dataset.tokenPath, csrf), trace);
const connection = new Connection(transport, { answer, heard });
const context = { announce, site: { path: root.dataset.appPath, csrf }, read: (uri) => open({ kind: "resource", uri }, true) };
const shelves = new Shelves({ place: part, count: (name) => part(`${name}-count`), open });

async function answer(method, params, signal) {
  if (method === "roots/list") return { roots: [] };
  const questions = await import("./questions.js");
  return questions.answer(part("questions"), announce, method, params, signal);
}

function heard({ method, params }) {
  if (method === "notifications/elicitation/complete") completed(params);
  else shelves.heard(method, connection);
}

async function open(item, starts = false) {
  const { panelOf } = await import("./panels.js");
  part("chosen").replaceChildren(panelOf(connection, item, context, root.dataset.address, starts));
  part("chosen").querySelector("h2").focus({ preventScroll: true });
  part("chosen").scrollIntoView({ block: "nearest" });
}

async function connect() {
  root.dataset.state = "connecting";
  part("status").textContent = gettext("Connecting…");
  part("problem").replaceChildren();
  unchosen.replaceChildren(...invitation);
  shelves.say(gettext("Connecting…"), true);
  try {
    if (!(await connection.open(part("revision").value))) return; // another protocol was chosen meanwhile
  } catch (error) {
    return failed(error);
  }
  root.dataset.state = "connected";
  part("status").textContent = interpolate(gettext("Connected to %(server)s"), { server: visible(connection.server) });
  shelves.say(gettext("Loading…"), true);
  await shelves.fill(connection);
  openAsked();
}

// The address may name a tool to begin with (#tool=NAME). It is shown, never called: links make no calls.
function openAsked() {
  const name = new URLSearchParams(location.hash.slice(1)).get("tool");
  if (!name || part("chosen").dataset.asked === name) return;
  part("chosen").dataset.asked = name;
  shelves.openTool(name);
}

// Said where the invitation stands, so that nothing moves; above what was chosen, once something was.
function failed(error) {
  root.dataset.state = "failed";
  part("status").textContent = gettext("Not connected");
  announce(gettext("Not connected"));
  shelves.fail(gettext("It is listed here once the server is connected."));
  const again = button(gettext("Try again"), connect, "button-small");
  const place = unchosen.isConnected ? unchosen : part("problem");
  const why = sentences(visible(error.message)).map((one) => el("p", {}, one));
  place.replaceChildren(alert("bad", gettext("No connection to the server"), why, again));
  place.scrollIntoView({ block: "nearest" }); // on phones it is below the list
}

followTrace(trace, { list: part("trace"), count: part("trace-count"), clear: part("trace-clear") });
part("revision").addEventListener("change", connect);
part("reconnect").addEventListener("click", connect);
addEventListener("pagehide", () => connection.close());
addEventListener("pageshow", (event) => event.persisted && connect()); // back from another page
connect();
