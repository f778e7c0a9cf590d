"""What real servers print when a setting is missing, and what they print for other reasons."""

from __future__ import annotations

import pytest

from hosting.looks.missing import Missing, missing_setting

ENV: list[tuple[str, str]] = [
    ("Error: BRAVE_API_KEY environment variable is required", "BRAVE_API_KEY"),
    ("Please set SLACK_BOT_TOKEN and SLACK_TEAM_ID environment variables", "SLACK_BOT_TOKEN"),
    ("GITLAB_PERSONAL_ACCESS_TOKEN environment variable is not set", "GITLAB_PERSONAL_ACCESS_TOKEN"),
    ("GOOGLE_MAPS_API_KEY environment variable is not set", "GOOGLE_MAPS_API_KEY"),
    ("Error: GITHUB_TOKEN is required", "GITHUB_TOKEN"),
    ("GITHUB_PERSONAL_ACCESS_TOKEN not set", "GITHUB_PERSONAL_ACCESS_TOKEN"),
    (
        "\n🚨  Error initializing Stripe MCP server:\n\n   Stripe API key not provided. Please either pass it as an "
        "argument --api-key=$KEY or set the STRIPE_SECRET_KEY environment variable.\n",
        "STRIPE_SECRET_KEY",
    ),
    (
        "Please provide a personal access token (PAT) with the --access-token flag or set the SUPABASE_ACCESS_TOKEN "
        "environment variable",
        "SUPABASE_ACCESS_TOKEN",
    ),
    ("Error: Either FIRECRAWL_API_KEY or FIRECRAWL_API_URL must be provided", "FIRECRAWL_API_KEY"),
    ("Either FIGMA_API_KEY or FIGMA_OAUTH_TOKEN is required (via CLI argument or .env file)", "FIGMA_API_KEY"),
    (
        "airtable-mcp-server: No API key provided. Set `AIRTABLE_API_KEY` environment variable or pass it as argument",
        "AIRTABLE_API_KEY",
    ),
    (
        'Traceback (most recent call last):\n  File "/x/server.py", line 9, in <module>\n'
        "    api_key = os.environ['OPENWEATHER_API_KEY']\n"
        "  File \"<frozen os>\", line 679, in __getitem__\nKeyError: 'OPENWEATHER_API_KEY'",
        "OPENWEATHER_API_KEY",
    ),
    (
        "openai.OpenAIError: The api_key client option must be set either by passing api_key to the client or by "
        "setting the OPENAI_API_KEY environment variable",
        "OPENAI_API_KEY",
    ),
    (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\ncollection_name\n"
        "  Field required [type=missing, input_value={}, input_type=dict]\n"
        "    For further information visit https://errors.pydantic.dev/2.11/v/missing",
        "COLLECTION_NAME",
    ),
    (
        "pydantic.error_wrappers.ValidationError: 1 validation error for Config\nAPI_TOKEN\n"
        "  field required (type=value_error.missing)",
        "API_TOKEN",
    ),
    (
        'ZodError: [\n  {\n    "code": "invalid_type",\n    "expected": "string",\n    "received": "undefined",\n'
        '    "path": [\n      "NOTION_API_KEY"\n    ],\n    "message": "Required"\n  }\n]\n'
        "    at get error (file:///x/zod/lib/index.mjs:587:31)\n\nNode.js v20.20.2",
        "NOTION_API_KEY",
    ),
    (
        'ZodError: [\n {\n "received": "undefined",\n "path": [ "apiKey" ],\n "message": "Required"\n }\n]',
        "API_KEY",
    ),
    ("ValueError: OBSIDIAN_API_KEY environment variable required. Working directory: /app", "OBSIDIAN_API_KEY"),
    ("Missing required environment variable: CONTENTFUL_MANAGEMENT_TOKEN", "CONTENTFUL_MANAGEMENT_TOKEN"),
    ("Error: Missing required environment variables: JIRA_URL, JIRA_USERNAME", "JIRA_URL"),
    ("❌ Invalid environment variables:\n  DATABASE_URL: [ 'Required' ]", "DATABASE_URL"),
    (
        "================================\n Missing environment variables:\n    REDIS_URL: where the queue is\n"
        "================================",
        "REDIS_URL",
    ),
    (
        "decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar or define a default value.",
        "SECRET_KEY",
    ),
    ('environs.exceptions.EnvError: Environment variable "TOKEN" not set', "TOKEN"),
    (
        "ERROR: Database connection string (DSN) is required.\nPlease provide the DSN in one of these ways:\n\n"
        '1. Command line argument: --dsn="your-connection-string"\n'
        '2. Environment variable: export DSN="your-connection-string"\n3. .env file: DSN=your-connection-string',
        "DSN",
    ),
    ("Error: Missing option '--auth-token' (env var: 'SENTRY_AUTH_TOKEN').", "SENTRY_AUTH_TOKEN"),
    ("2026-11-20 10:00:01 ERROR You must set either HASS_TOKEN in your environment", "HASS_TOKEN"),
    ("Error: LINEAR_API_KEY is undefined\n    at file:///x/dist/index.js:12:11\n\nNode.js v20.20.2", "LINEAR_API_KEY"),
]

ARGUMENT: list[tuple[str, str]] = [
    ("Credentials not found. Please run with 'auth' argument first.", "auth"),
    ("usage: mcp-server-sqlite [-h] --db-path DB_PATH\n"
     "mcp-server-sqlite: error: the following arguments are required: --db-path", "--db-path"),
    ("mcp-server-git: error: the following arguments are required: -r/--repository", "--repository"),
    ("Usage: mcp-server-sentry [OPTIONS]\nTry 'mcp-server-sentry --help' for help.\n\n"
     "Error: Missing option '--auth-token'.", "--auth-token"),
    ("Error: Missing argument 'DATABASE_URL'.", "DATABASE_URL"),
    ("error: required option '-k, --api-key <key>' not specified", "--api-key"),
    ("error: missing required argument 'path'", "path"),
    ("Missing required argument: connection-string", "--connection-string"),
    ("Usage: mcp-server-filesystem <allowed-directory> [additional-directories...]", "allowed-directory"),
    ("Please provide a database URL as a command-line argument", "database URL"),
    ("Required command was not provided.", "command"),
    ("Usage: server [--verbose] --url <url>", "--url"),
    ("error: the following required arguments were not provided:\n  --token <TOKEN>\n\n"
     "Usage: tool --token <TOKEN>", "--token"),
]  # fmt: skip

NONE = [
    "",
    "ImportError: cannot import name 'LATEST_PROTOCOL_VERSION' from 'mcp.types' (/x/mcp/types.py)",
    "AttributeError: module 'mcp.types' has no attribute 'DEFAULT_NEGOTIATED_VERSION'",
    "Error: connect ECONNREFUSED 127.0.0.1:9876",
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /x/index.js\n  code: 'ERR_MODULE_NOT_FOUND'",
    "INFO Server started with LOG_LEVEL=info",
    "Listening on port 3000",
    "TypeError: MCP_SERVER.connect is not a function",
    "RuntimeError: something broke",
    "Segmentation fault (core dumped)",
    "usage: thing [-h] [--port PORT]\nthing: error: unrecognized arguments: --stdio",
    "NameError: name 'API_KEY' is not defined",
    "Usage: tool <command> [options]",
    "CallToolRequest.params.name\n  Field required [type=missing, input_value={}, input_type=dict]",
]


@pytest.mark.parametrize(("printed", "name"), ENV)
def test_variables_are_named(printed: str, name: str) -> None:
    assert missing_setting(printed) == Missing(name, "env")


@pytest.mark.parametrize(("printed", "name"), ARGUMENT)
def test_arguments_are_named(printed: str, name: str) -> None:
    assert missing_setting(printed) == Missing(name, "argument")


@pytest.mark.parametrize("printed", NONE)
def test_other_reasons_name_nothing(printed: str) -> None:
    assert missing_setting(printed) is None


def test_what_is_set_isnt_missing() -> None:
    assert missing_setting("GITHUB_TOKEN is required", {"GITHUB_TOKEN"}) is None
    assert missing_setting("A_KEY and B_KEY are required", {"A_KEY"}) == Missing("B_KEY", "env")


def test_long_and_hostile_output_is_read_quickly() -> None:
    assert missing_setting("usage: " + "[" * 20_000 + "<" * 20_000) is None
    assert missing_setting("A_" * 100_000 + " is required\n" * 3) is None
