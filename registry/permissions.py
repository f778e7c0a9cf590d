"""What a proven identity may do in the registry: a list of (action, pattern of names). Pure.

A pattern is a server name, or a prefix that ends with `*`: `io.github.alice/*`, `org.example.*`, `*`. Letters compare
exactly, since `io.github.Alice/x` and `io.github.alice/x` are two servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeGuard

Action = Literal["publish", "edit"]
EVERYTHING = "*"


@dataclass(frozen=True)
class Permission:
    """`resource` is the pattern."""

    action: Action
    resource: str

    def matches(self, name: str) -> bool:
        if self.resource.endswith("*"):
            return name.startswith(self.resource[:-1])
        return name == self.resource

    def as_claim(self) -> dict[str, str]:
        return {"action": self.action, "resource": self.resource}


def publish(resource: str) -> Permission:
    return Permission("publish", resource)


def namespace(label: str) -> str:
    """The pattern of all names in a namespace: `org.example` → `org.example/*`."""
    return f"{label}/*"


def below(label: str) -> str:
    """The pattern of all names in the namespaces below one: `org.example` → `org.example.*`."""
    return f"{label}.*"


def namespace_of(name: str) -> str:
    """`org.example/server` → `org.example`."""
    return name.partition("/")[0]


def allows(permissions: Iterable[Permission], action: Action, name: str) -> bool:
    """Whether one of them covers this action on the server of this name."""
    return any(each.action == action and each.matches(name) for each in permissions)


def allows_any(permissions: Iterable[Permission], name: str) -> bool:
    """Whether one of them covers any action on it: a change of status asks for `publish` or `edit`."""
    return any(each.matches(name) for each in permissions)


def covers_everything(permissions: Iterable[Permission]) -> bool:
    """Whether one of them is for all names: an administrator's, whom no blocked namespace stops."""
    return any(each.resource == EVERYTHING for each in permissions)


def resources(permissions: Iterable[Permission], action: Action) -> list[str]:
    """The patterns that an action is allowed on, each once, for the words of a refusal."""
    return list(dict.fromkeys(each.resource for each in permissions if each.action == action))


def from_claims(claims: object) -> tuple[Permission, ...]:
    """Reads the claim `permissions` of a token. Raises ValueError for anything that isn't one."""
    if not isinstance(claims, list):
        raise ValueError("permissions must be a list")
    found = []
    for each in claims:
        if not isinstance(each, Mapping) or each.keys() != {"action", "resource"}:
            raise ValueError("a permission has an action and a resource")
        action, resource = each["action"], each["resource"]
        if not _is_action(action) or not isinstance(resource, str) or not resource:
            raise ValueError("a permission is for publish or edit, on a pattern of names")
        found.append(Permission(action, resource))
    return tuple(found)


def _is_action(value: object) -> TypeGuard[Action]:
    return value in ("publish", "edit")
