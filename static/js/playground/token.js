// The bearer token of this page: asked for by a POST with the site's CSRF token, kept in a variable and nowhere else.

import { gettext, interpolate } from "../gettext.js";

const EARLY_MS = 30_000; // it is renewed this long before it ends

export class Tokens {
  #value = "";
  #until = 0;
  #asking = null;

  constructor(path, csrf) {
    this.path = path;
    this.csrf = csrf;
  }

  // The token, renewed where it is about to end. `isRefused`: the endpoint did not take the last one.
  async get(isRefused = false) {
    if (!isRefused && Date.now() < this.#until - EARLY_MS) return this.#value;
    this.#asking ??= this.#renew().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #renew() {
    const headers = { "X-CSRFToken": this.csrf, Accept: "application/json" };
    const sent = fetch(this.path, { method: "POST", headers, cache: "no-store", redirect: "manual" });
    const answer = await sent.catch(() => {
      throw new Error(gettext("The site can't be reached. Check the connection, and try again."));
    });
    if (answer.type === "opaqueredirect") throw new Error(gettext("You are signed out. Reload this page and sign in."));
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.message ?? interpolate(gettext("No token could be had (%(status)s). Reload this page."), { status: answer.status }));
    this.#value = said.token;
    this.#until = Date.now() + said.seconds * 1000;
    return this.#value;
  }
}
