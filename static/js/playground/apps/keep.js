// Reads an app from its server and has the site keep it for a moment, so that a frame can load it under its own policy.

import { gettext, interpolate } from "../../gettext.js";

export const TYPE = "text/html;profile=mcp-app";

// The address of a tool's app (MCP Apps, 2026-01-26, "Resource Discovery"), "" where it brings none.
export function addressOf(tool) {
  const meta = tool?._meta ?? {};
  const address = meta.ui?.resourceUri ?? meta["ui/resourceUri"];
  return typeof address === "string" && address.startsWith("ui://") ? address : "";
}

// Whether an app may call this tool: unless it says otherwise.
export function isForApps(tool) {
  const visibility = tool?._meta?.ui?.visibility;
  return !Array.isArray(visibility) || visibility.includes("app");
}

// What resources/read gave: { html, csp }. Raises Error for what is no app.
export function appIn(result, address) {
  const found = (Array.isArray(result?.contents) ? result.contents : []).find(({ uri } = {}) => uri === address);
  if (String(found?.mimeType ?? "").replaceAll(" ", "").toLowerCase() !== TYPE) throw new Error(interpolate(gettext("%(address)s is no %(type)s."), { address, type: TYPE }));
  const html = typeof found.text === "string" ? found.text : decoded(found.blob);
  return { html, csp: found._meta?.ui?.csp ?? {} };
}

const decoded = (blob) => new TextDecoder().decode(Uint8Array.from(atob(blob ?? ""), (character) => character.charCodeAt(0)));

// Where a frame may load it, once. `path` and `csrf` of the site. Raises Error with words of the site's.
export async function kept(app, path, csrf) {
  const headers = { "X-CSRFToken": csrf, "Content-Type": "application/json", Accept: "application/json" };
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(app), headers, redirect: "manual" });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.message ?? gettext("The app can't be shown. Reload this page, and call again."));
  return said.address;
}
