// An app that a server brings for the result of a tool (MCP Apps, SEP-1865, 2026-01-26), in a frame that is nobody's.
// The sandbox of its answer takes the place of the specification's proxy: the frame has another origin than this page.

import { gettext, interpolate } from "../../gettext.js";
import { alert, button, el } from "../dom.js";
import { visible } from "../words.js";
import { Bridge, Denied } from "./bridge.js";
import { Consent } from "./consent.js";
import { greeting, HIGHEST } from "./greeting.js";
import { appIn, isForApps, kept } from "./keep.js";

export class App {
  #bridge = null;
  #said = el("p", { class: "small muted", role: "status" }, gettext("Loading the app…"));
  #questions = el("div", { class: "stack" });
  #frame;

  // `call`: { tool, address, values, result }. `site`: { path, csrf } of the page that keeps apps.
  constructor(connection, call, { announce, site }) {
    Object.assign(this, { connection, call, site });
    const name = visible(call.tool.name);
    this.#frame = el("iframe", { class: "playground-frame", sandbox: "allow-scripts", referrerpolicy: "no-referrer", title: interpolate(gettext("App of %(name)s"), { name }), hidden: true });
    this.consent = new Consent(this.#questions, announce);
    const note = el("span", { class: "small muted" }, gettext("A program of the server's. It can't see this page or your account."));
    const head = el("div", { class: "row" }, el("h4", {}, gettext("App")), note, button(gettext("Close"), () => this.close("The user closed it."), "button-small row-end"));
    this.element = el("section", { class: "playground-app stack", "aria-label": interpolate(gettext("App of %(name)s"), { name }) }, head, this.#said, this.#questions, this.#frame);
    this.#load();
  }

  async #load() {
    try {
      const app = appIn(await this.connection.request("resources/read", { uri: this.call.address }), this.call.address);
      const address = await kept(app, this.site.path, this.site.csrf);
      if (!this.element.isConnected) return; // another call has the place
      this.#bridge = new Bridge(this.#frame, this.#requests(), this.#notifications());
      this.#frame.hidden = false;
      this.#frame.src = address;
      this.#said.hidden = true;
    } catch (error) {
      this.#said.replaceWith(alert("bad", gettext("The app can't be shown"), el("p", {}, visible(error.message))));
    }
  }

  async close(reason) {
    const bridge = this.#bridge;
    this.#bridge = null;
    await bridge?.end(reason);
    this.element.remove();
  }

  #requests() {
    return {
      "ui/initialize": () => greeting(this.call.tool, this.#frame.clientWidth),
      ping: () => ({}),
      "tools/call": (params) => this.#callTool(params),
      "resources/read": async ({ uri }) => {
        await this.consent.calls(`read ${uri}`);
        return this.connection.request("resources/read", { uri });
      },
      "ui/open-link": async ({ url }) => {
        await this.consent.link(url);
        return {};
      },
      "ui/request-display-mode": () => ({ mode: "inline" }),
      "ui/message": () => Promise.reject(new Denied("There is no conversation in the Playground.")),
      "ui/update-model-context": () => Promise.reject(new Denied("There is no model in the Playground.")),
    };
  }

  #notifications() {
    return {
      "ui/notifications/initialized": () => {
        this.#bridge?.notify("ui/notifications/tool-input", { arguments: this.call.values });
        this.#bridge?.notify("ui/notifications/tool-result", this.call.result);
      },
      "ui/notifications/size-changed": ({ height }) => {
        if (height > 0) this.#frame.style.blockSize = `${Math.min(Math.ceil(height), HIGHEST)}px`;
      },
    };
  }

  // "Host MUST reject tools/call requests from apps for tools that don't include "app" in visibility".
  async #callTool({ name, arguments: values }) {
    await this.consent.calls(`call ${name}`);
    const tools = await this.connection.list("tools/list", "tools");
    const tool = tools.find((each) => each.name === name);
    if (!tool || !isForApps(tool)) throw new Denied(`There is no tool ${name} for apps.`);
    return this.connection.call(tool, values ?? {}, {});
  }
}
