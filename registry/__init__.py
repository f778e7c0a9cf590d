"""The registry: entries of MCP servers after server.json, published here or followed from other registries."""
