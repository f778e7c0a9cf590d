"""What a tool says of itself, compared with what its owner approved. Pure: no Django, no ORM.

A tool's text is read by models as instructions, so a server that changes it after it was approved (threat 35) is held
back. Compared is every member of a tool but its icons: what this platform does not know some client may show to a
model, and some read `Description` for `description`. Each is one *part*: the SHA-256 of its name and canonical JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# In the order in which people read them; whatever else there is comes after them.
FIELDS: Final = ("name", "title", "description", "inputSchema", "outputSchema", "annotations", "execution", "_meta")
# Pictures, whose addresses are signed anew for every list by some servers. No model reads them.
_NOISE: Final = frozenset({"icons"})
# `execution.taskSupport` exists at 2025-11-25 only: a server of both eras says it in one of them.
_OF_ONE_ERA: Final = frozenset({"execution"})
# The default, and what the platform offers for every tool anyway: a client that is told of it must do nothing else.
_NO_DEMAND: Final = ({"taskSupport": "forbidden"}, {"taskSupport": "optional"})
NAME_LENGTH: Final = 256

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class ToolPolicy:
    """Which of a deployment's tools may be seen and called. Open: all of them, whatever they say.

    `off` were switched off by the owner, `held` changed or came since the last approval. `parts` are what was approved
    of each tool by name, `waiting` what its owner is shown for approval. `guarded` are tools that its owner wants asked
    for by themselves: they need the scope mcp:admin, in an open policy too.
    """

    is_open: bool = True
    takes_changes: bool = True  # the owner chose not to be asked
    off: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    waiting: Mapping[str, frozenset[str]] = field(default_factory=dict)
    guarded: frozenset[str] = frozenset()

    @property
    def hidden(self) -> frozenset[str]:
        return self.off | self.held

    def allows(self, tool: Definition) -> bool:
        """Whether this entry of a tools/list result may be shown: its text is what was approved, and it is on."""
        name = tool.get("name")
        if self.is_open:
            return True
        if not isinstance(name, str) or name in self.off:
            return False
        if self.takes_changes:
            return True
        return name not in self.held and parts_of(tool) <= self.parts.get(name, frozenset())

    def is_news(self, tool: Definition) -> bool:
        """Whether `records.tools_seen` should hear of this entry: a text neither approved nor known to wait."""
        name = tool.get("name")
        if self.is_open or not isinstance(name, str):
            return False
        parts = parts_of(tool)
        return not any(parts <= known.get(name, frozenset()) for known in (self.parts, self.waiting))

    def refusal(self, name: str) -> str:
        """Why a call of that tool is refused, in words for the caller; "" when it isn't."""
        if self.is_open:
            return ""
        if name in self.off:
            return f"The tool {name} is switched off by the server's owner."
        if self.takes_changes:
            return ""
        if name in self.held:
            return f"The tool {name} changed since it was approved. It waits for the approval of the server's owner."
        if name not in self.parts:
            return f"There is no approved tool named {name}. A new tool waits for the approval of the server's owner."
        return ""


def cleaned(value: Any) -> Any:
    """The value as PostgreSQL can keep it: it has no NUL and no half of a surrogate pair."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float) and value.is_integer():
        return int(value)  # it makes 1e2 the same as 100, which is what comes back
    if isinstance(value, dict):
        return {cleaned(name): cleaned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [cleaned(each) for each in value]
    return value


def compared(tool: Definition) -> dict[str, Any]:
    """The fields that count, without those that say nothing."""
    found = {cleaned(name): cleaned(tool[name]) for name in _named(tool) if tool[name] not in (None, {})}
    if found.get("execution") in _NO_DEMAND:
        del found["execution"]
    return found


def parts_of(tool: Definition) -> frozenset[str]:
    return frozenset(_part(name, value) for name, value in compared(tool).items())


def digest_of(tool: Definition) -> str:
    """Of the whole: equal exactly when all parts are."""
    return hashlib.sha256("".join(sorted(parts_of(tool))).encode()).hexdigest()


def has_changed(tool: Definition, approved: Definition, *, is_complete: bool) -> bool:
    """Whether `tool` says something that was not approved. In a `complete` look (the platform's own, always of one
    revision) a field that went is a change too; a list for some client may lack fields that its revision has not."""
    said, known = compared(tool), compared(approved)
    if any(name not in known or _part(name, said[name]) != _part(name, known[name]) for name in said):
        return True
    return is_complete and any(name not in said for name in known if name not in _OF_ONE_ERA)


@dataclass(frozen=True)
class Difference:
    """One field before and after, as lines of text; either may be empty."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def differences(before: Definition | None, after: Definition) -> list[Difference]:
    """The fields that differ, in a fixed order; all of them where there is no `before`."""
    old, new = compared(before or {}), compared(after)
    return [
        Difference(name, _lines(old.get(name)), _lines(new.get(name)))
        for name in _named({**old, **new})
        if _canonical(old.get(name)) != _canonical(new.get(name))
    ]


def _named(tool: Definition) -> list[str]:
    """The members that count, those that the specification knows first."""
    others = sorted(name for name in tool if name not in FIELDS and name not in _NOISE)
    return [name for name in FIELDS if name in tool] + others


def _lines(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return tuple(text.split("\n"))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _part(name: str, value: Any) -> str:
    return hashlib.sha256(f"{name}={_canonical(value)}".encode()).hexdigest()
