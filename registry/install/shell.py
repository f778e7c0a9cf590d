"""What to type in a shell: the server's own command, and those of clients that add it. Pure.

Everything fixed is quoted for a POSIX shell. A gap is a variable of the shell, in double quotes, so that a secret
stands neither in the command nor in the shell's history.
"""

from __future__ import annotations

import re
import shlex

from registry.install.settings import Setting, Text
from registry.install.ways import Way

_FINE_IN_DOUBLE_QUOTES = re.compile(r"[\w :/.,=+@%-]*", re.ASCII)


def word(text: Text) -> str:
    """One word of a command line."""
    if text.is_fixed:
        return shlex.quote(text.filled(_gap))
    fixed = [part for part in text.parts if isinstance(part, str)]
    if all(_FINE_IN_DOUBLE_QUOTES.fullmatch(part) for part in fixed):
        return f'"{text.filled(_gap)}"'
    return "".join(shlex.quote(part) if isinstance(part, str) else f'"{_gap(part)}"' for part in text.parts)


def own_command(way: Way) -> str:
    """What a client runs: the whole of it, with its environment in front."""
    pairs = [f"{name}={word(text)}" for name, text in way.environment]
    return " ".join([*pairs, *(word(text) for text in way.command)])


def claude_code(way: Way, name: str) -> str:
    if way.is_remote:
        transport = "sse" if way.transport == "sse" else "http"
        headers = [f"--header {word(Text.of(f'{key}: ', *text.parts))}" for key, text in way.headers]
        return " ".join(["claude mcp add --transport", transport, *headers, name, word(way.url)])
    pairs = [f"--env {name_}={word(text)}" for name_, text in way.environment]
    return " ".join(["claude mcp add", *pairs, name, "--", *(word(text) for text in way.command)])


def codex(way: Way, name: str) -> str:
    """Empty where its command line has no words for it: HTTP+SSE, headers."""
    if way.is_remote:
        return f"codex mcp add {name} --url {word(way.url)}" if way.transport != "sse" and not way.headers else ""
    pairs = [f"--env {name_}={word(text)}" for name_, text in way.environment]
    return " ".join(["codex mcp add", name, *pairs, "--", *(word(text) for text in way.command)])


def exports(way: Way) -> list[Setting]:
    """What has to be in the shell's environment first."""
    return way.settings


def _gap(one: Setting) -> str:
    return f"${{{one.variable}}}"
