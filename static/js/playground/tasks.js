// A call as a task: begun by the client, kept by the platform, and followed here until its result is there. Whoever
// leaves the page finds it among their tasks.

import { gettext } from "../gettext.js";
import { LegacyClient } from "./legacy.js";
import { Failure, Refused } from "./refusals.js";

const EXTENSION = "io.modelcontextprotocol/tasks"; // SEP-2663
const PAUSE_MS = 1000;

// Whether the server runs calls as tasks, as it says in its greeting.
export function hasTasks({ greeting }) {
  const { tasks, extensions } = greeting?.capabilities ?? {};
  return tasks?.requests?.tools?.call !== undefined || extensions?.[EXTENSION] !== undefined;
}

// Returns the tool's result. `on` as of a request, with `task(id)`, which is told the task's id. Cancelling it cancels
// the task.
export function callAsTask(connection, tool, values, on) {
  const run = connection.client instanceof LegacyClient ? byHandshake : stateless;
  return run(connection.client, { name: tool.name, arguments: values }, { ...on, schema: tool.inputSchema });
}

// 2025-11-25 basic/utilities/tasks: `tasks/result` waits, and questions come on its stream.
async function byHandshake(client, params, on) {
  const { task } = await client.request("tools/call", { ...params, task: {} }, on);
  const { taskId } = task;
  on.task(taskId);
  on.signal.addEventListener("abort", () => client.request("tasks/cancel", { taskId }).catch(() => {}));
  return client.request("tasks/result", { taskId }, on);
}

// SEP-2663: the server decides which call becomes one; it is asked for again and again, and answered by `tasks/update`.
async function stateless(client, params, on) {
  const extensions = { [EXTENSION]: {} };
  const begun = await client.request("tools/call", params, { ...on, extensions });
  if (begun?.resultType !== "task") return begun;
  const { taskId } = begun;
  const ask = (method, more) => client.request(method, { taskId, ...more }, { extensions });
  on.task(taskId);
  on.signal.addEventListener("abort", () => ask("tasks/cancel").catch(() => {}));
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, on.signal]);
  try {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, begun.pollIntervalMs ?? PAUSE_MS));
      on.signal.throwIfAborted();
      const task = await ask("tasks/get");
      if (task.status === "completed") return task.result;
      if (task.status === "failed") throw new Failure(task.error);
      if (task.status === "cancelled") throw new Refused(gettext("The task was cancelled."));
      if (task.statusMessage) on.said(task.statusMessage);
      if (task.status === "input_required") await ask("tasks/update", await client.answered(task, signal));
    }
  } finally {
    over.abort(); // what is said of its questions is off the page
  }
}
