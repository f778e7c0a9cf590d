// What an app is told when it begins: who shows it, and where (MCP Apps, "ui/initialize").

export const HIGHEST = 800; // pixels
const REVISION = "2026-01-26";
const HOST = { name: "slipway-playground", title: "Slipway Playground", version: "1" };

export function greeting(tool, width) {
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const hostContext = {
    toolInfo: { tool },
    theme: document.documentElement.dataset.theme ?? theme,
    displayMode: "inline",
    availableDisplayModes: ["inline"],
    containerDimensions: { width, maxHeight: HIGHEST },
    locale,
    timeZone,
    platform: "web",
  };
  return { protocolVersion: REVISION, hostInfo: HOST, hostCapabilities: { openLinks: {}, serverTools: {}, serverResources: {} }, hostContext };
}
