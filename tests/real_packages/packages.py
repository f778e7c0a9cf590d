"""The servers that are hosted for real: those that the field names, and others of our own choice."""

from __future__ import annotations

# What everybody who tries a host of MCP servers tries first.
NAMED = (
    "npm:@modelcontextprotocol/server-everything",
    "npm:@modelcontextprotocol/server-filesystem",
    "npm:@modelcontextprotocol/server-memory",
    "npm:@modelcontextprotocol/server-sequential-thinking",
    "npm:@modelcontextprotocol/server-github",
    "npm:@modelcontextprotocol/server-slack",
    "npm:@modelcontextprotocol/server-postgres",
    "npm:@modelcontextprotocol/server-gdrive",
    "npm:@modelcontextprotocol/server-puppeteer",
    "npm:@notionhq/notion-mcp-server",
    "npm:@stripe/mcp",
    "npm:@postman/postman-mcp-server",
    "npm:@llmindset/hf-mcp-server",
    "npm:@azure/mcp",
    "pypi:mcp-server-time",
    "pypi:mcp-server-fetch",
    "pypi:mcp-server-git",
    "pypi:mcp-server-sqlite",
    "pypi:blender-mcp",
    "pypi:awslabs-aws-api-mcp-server",
)

# Popular and obscure ones.
OTHERS = (
    "npm:@upstash/context7-mcp",
    "npm:@playwright/mcp",
    "npm:@brave/brave-search-mcp-server",
    "npm:tavily-mcp",
    "npm:firecrawl-mcp",
    "npm:exa-mcp-server",
    "npm:@supabase/mcp-server-supabase",
    "npm:figma-developer-mcp",
    "npm:@wonderwhy-er/desktop-commander",
    "npm:@bytebase/dbhub",
    "npm:mcp-mermaid",
    "npm:@antv/mcp-server-chart",
    "npm:@sentry/mcp-server",
    "npm:mongodb-mcp-server",
    "pypi:mcp-server-tree-sitter",
    "pypi:awslabs.aws-documentation-mcp-server",
    "pypi:awslabs-postgres-mcp-server",
    "pypi:duckduckgo-mcp-server",
    "pypi:arxiv-mcp-server",
    "pypi:mcp-atlassian",
    "pypi:excel-mcp-server",
    "pypi:mcp-server-qdrant",
    "pypi:markitdown-mcp",
    "pypi:wikipedia-mcp",
)
