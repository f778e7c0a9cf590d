// How a request can fail: refused before anything was called, broken off, or answered with an error.

import { gettext } from "../gettext.js";

// An answer that is no JSON-RPC response: a refusal before anything was called, or a connection that broke.
export class Refused extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

// The site could not be reached, or no longer.
export class Broken extends Refused {}

// Raises Broken for it: fetch() says so with a TypeError, in words of the browser's.
export function lost(error) {
  throw error instanceof TypeError ? new Broken(gettext("The connection broke off. What the call did is not known.")) : error;
}

// What `source` yields, and Broken where it breaks off.
export async function* whole(source) {
  try {
    yield* source;
  } catch (error) {
    lost(error);
  }
}

// What the server answered with a JSON-RPC error.
export class Failure extends Error {
  constructor(error) {
    super(typeof error?.message === "string" ? error.message : gettext("The server answered with an error."));
    this.code = error?.code;
    this.data = error?.data;
  }
}

// The result of a response. Raises Failure.
export function outcome(message) {
  if (message.error !== undefined) throw new Failure(message.error);
  return message.result;
}
