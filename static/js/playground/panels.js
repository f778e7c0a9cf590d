// The panel of whatever was chosen. Most of the Playground is behind this module, which is fetched with the first choice.

import { promptPanel, resourcePanel, templatePanel } from "./offered.js";
import { callAsTask, hasTasks } from "./tasks.js";
import { toolPanel } from "./tools.js";

// `context` as Run wants it; `address` of the endpoint, for code to take away. `starts`: a resource is read at once.
export function panelOf(connection, { kind, ...item }, context, address, starts = false) {
  if (kind === "resource") return resourcePanel(connection, item, context, starts);
  if (kind === "template") return templatePanel(connection, item, context);
  if (kind === "prompt") return promptPanel(connection, item, context);
  const call = (...given) => connection.call(...given);
  const asTask = hasTasks(connection) ? (...given) => callAsTask(connection, ...given) : null;
  return toolPanel(item, { call, callAsTask: asTask, context, address, connection });
}
