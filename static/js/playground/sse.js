// Server-sent events out of the body of an answer (WHATWG HTML, 9.2.6 "Interpreting an event stream"). Pure.

// Yields { id, data, retry } for each event; `retry` in milliseconds where the stream said one.
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  let event = { id: "", data: [], retry: undefined };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      left += value;
      const isCut = left.endsWith("\r"); // its "\n" may still come
      const lines = (isCut ? left.slice(0, -1) : left).split(/\r\n|\n|\r/);
      left = lines.pop() + (isCut ? "\r" : "");
      for (const line of lines) {
        if (line !== "") read(line, event);
        else {
          if (event.data.length || event.id) yield { ...event, data: event.data.join("\n") };
          event = { id: "", data: [], retry: undefined };
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function read(line, event) {
  if (line.startsWith(":")) return;
  const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
  if (name === "data") event.data.push(value ?? "");
  else if (name === "id") event.id = value ?? "";
  else if (name === "retry" && /^\d+$/.test(value ?? "")) event.retry = Number(value);
}
