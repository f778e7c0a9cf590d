// What a server offers, in three lists: tools, resources with their templates, and prompts.

import { gettext } from "../gettext.js";
import { Listing } from "./listing.js";
import { visible } from "./words.js";

const SHELVES = { tools, resources, prompts }; // by the names of the protocol: of capabilities, lists and notifications

async function tools(connection) {
  const found = await connection.list("tools/list", "tools");
  return found.map((tool) => ({ label: tool.name, about: tool.title ?? tool.description, item: { ...tool, kind: "tool" } }));
}

async function resources(connection) {
  const known = await connection.list("resources/list", "resources");
  // A server may have none of these and not know the method.
  const templates = await connection.list("resources/templates/list", "resourceTemplates").catch(() => []);
  return [
    ...known.map((one) => ({ label: one.name ?? one.uri, about: one.uri, item: { ...one, kind: "resource" } })),
    ...templates.map((one) => ({
      label: one.name ?? one.uriTemplate,
      about: one.uriTemplate,
      item: { ...one, kind: "template" },
    })),
  ];
}

async function prompts(connection) {
  const found = await connection.list("prompts/list", "prompts");
  return found.map((prompt) => ({
    label: prompt.name,
    about: prompt.title ?? prompt.description,
    item: { ...prompt, kind: "prompt" },
  }));
}

const WORDS = {
  tools: { label: gettext("tools"), empty: gettext("This server offers no tools.") },
  resources: { label: gettext("resources"), empty: gettext("This server offers no resources.") },
  prompts: { label: gettext("prompts"), empty: gettext("This server offers no prompts.") },
};

export class Shelves {
  #lists = {};

  // `place(name)` and `count(name)` are elements of the page; `open(item)` shows a chosen one.
  constructor({ place, count, open }) {
    this.count = count;
    for (const name of Object.keys(SHELVES)) {
      const expected = place(name).querySelector("[data-expected]");
      this.#lists[name] = new Listing({ ...WORDS[name], open, expected });
      if (!expected) place(name).append(this.#lists[name].element);
    }
  }

  // `isWaiting`: for what comes next.
  say(words, isWaiting = false) {
    for (const [name, list] of Object.entries(this.#lists)) {
      list.say(words, isWaiting);
      this.count(name).textContent = "";
    }
  }

  // `words` why there are no lists.
  fail(words) {
    for (const [name, list] of Object.entries(this.#lists)) {
      list.fail(words);
      this.count(name).textContent = "";
    }
  }

  fill(connection) {
    return Promise.all(Object.keys(SHELVES).map((name) => this.#fill(name, connection)));
  }

  // Opens the tool of this name, if the server offers it.
  openTool(name) {
    return this.#lists.tools.choose(name);
  }

  // `method` of a notification; nothing happens for one that is about no list.
  heard(method, connection) {
    const name = /^notifications\/(\w+)\/list_changed$/.exec(method)?.[1] ?? "";
    if (Object.hasOwn(SHELVES, name)) this.#fill(name, connection);
  }

  async #fill(name, connection) {
    const list = this.#lists[name];
    try {
      const items = connection.has(name) ? await SHELVES[name](connection) : [];
      list.show(items);
      this.count(name).textContent = String(items.length);
    } catch (error) {
      list.say(visible(error.message));
    }
  }
}
