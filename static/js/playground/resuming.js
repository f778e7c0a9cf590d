// A stream of 2025-11-25 that goes on where it broke off (basic/transports, "Resumability and Redelivery").

import { Broken } from "./refusals.js";

const isBroken = (error) => error instanceof Broken;
const TRIES = 5;
const PAUSE_MS = 1000;

// Raises what `signal` was aborted with, at once: a cancelled call does not wait out its pause.
const rest = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => (clearTimeout(timer), reject(signal.reason));
    const timer = setTimeout(() => (signal.removeEventListener("abort", stop), resolve()), milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });

// Yields the messages of `first`, and then those of each further stream, until nobody takes more of them.
export async function* resumed(transport, first, headers, signal) {
  let messages = first;
  let last = "";
  for (let tries = 0; tries < TRIES && messages; tries += 1) {
    let pause = PAUSE_MS;
    try {
      for await (const event of messages) {
        if (event.id) [last, tries] = [event.id, 0];
        pause = event.retry ?? pause;
        if (event.message) yield event.message;
      }
    } catch (error) {
      if (!isBroken(error) || !last) throw error;
    }
    if (!last) return;
    messages = await again(transport, { headers, last, signal }, pause);
  }
}

// The next stream, once the site can be reached; null where it has none.
async function again(transport, where, pause) {
  for (let tries = 0; ; tries += 1) {
    await rest(pause * 2 ** tries, where.signal);
    try {
      return await transport.listen(where);
    } catch (error) {
      if (!isBroken(error) || tries === TRIES) throw error;
    }
  }
}

// Yields the messages of the stream for what belongs to no call, opened anew where it breaks off.
export async function* channel(transport, headers, signal) {
  for (let tries = 0; tries < TRIES && !signal.aborted; tries += 1) {
    try {
      const messages = await transport.listen({ headers, signal });
      if (messages === null) return;
      for await (const { message } of messages) {
        tries = 0;
        if (message) yield message;
      }
    } catch {
      if (signal.aborted) return;
    }
    await rest(PAUSE_MS * 2 ** tries, signal).catch(() => {}); // the loop ends with it
  }
}
