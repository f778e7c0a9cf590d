"""The scopes of MCP endpoints and of the platform API, and how they are written. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext, gettext_lazy

from common.errors import BadInput

READ = "mcp:read"
CALL = "mcp:call"
ADMIN = "mcp:admin"

KNOWN = (READ, CALL, ADMIN)
DEFAULT = (READ, CALL)
OFFLINE = "offline_access"  # a refresh token, where the client did not register for one; of the site, never of a server

# How the consent page says what each allows: in a few words, and what follows from it.
MEANINGS = {
    READ: (
        gettext_lazy("See what it offers"),
        gettext_lazy("The names and descriptions of its tools, prompts and resources, and what they hold."),
    ),
    CALL: (gettext_lazy("Use its tools"), gettext_lazy("Run them in your name, with what you have set up for them.")),
    ADMIN: (
        gettext_lazy("Use the tools that its owner has marked"),
        gettext_lazy("Those that its owner wants asked for by themselves."),
    ),
    OFFLINE: (gettext_lazy("Stay connected"), gettext_lazy("Until you disconnect it, without asking you again.")),
}

API = {
    "deployments:read": gettext_lazy(
        "See servers: how they are, their settings without secrets, their tools, calls and output"
    ),
    "deployments:write": gettext_lazy("Host, change, start, stop and delete servers, and issue tokens for them"),
    "tasks:read": gettext_lazy("See tasks and their results"),
    "tasks:write": gettext_lazy("Start, answer and cancel tasks"),
    "credentials:read": gettext_lazy(
        "See which credentials are stored for servers, and when they were used; never their values"
    ),
    "credentials:write": gettext_lazy(
        "Store and delete credentials, also those of organizations that the account administers"
    ),
    "registry:publish": gettext_lazy(
        "Publish to the registry in the namespaces that the account or its organizations were given"
    ),
    "registry:edit": gettext_lazy("Correct what is published in the registry (operators only)"),
}
API_KNOWN = tuple(API)


def parse(text: str, known: Sequence[str] = KNOWN) -> tuple[str, ...]:
    """Reads "mcp:read mcp:call" (RFC 6749, 3.3), in the order of `known`. Raises BadInput."""
    asked = set(text.split())
    if unknown := sorted(asked - set(known)):
        raise BadInput(
            "scope_unknown",
            gettext("Unknown scope: %(unknown)s. There are %(known)s.")
            % {"unknown": ", ".join(unknown), "known": ", ".join(known)},
            field="scope",
        )
    if not asked:
        raise BadInput(
            "scope_missing",
            gettext("Name at least one scope of %(names)s.") % {"names": ", ".join(known)},
            field="scope",
        )
    return tuple(scope for scope in known if scope in asked)
