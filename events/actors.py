"""Who does something: a signed-in person, an operator at a shell of the host, a job of the site, or nobody known."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Actor:
    """`user_id` is None for everybody but a person. Operators and the system may do what no rule forbids to all."""

    kind: str  # user | operator | system | anonymous
    user_id: UUID | None = None

    def __str__(self) -> str:
        return f"user:{self.user_id}" if self.user_id else self.kind

    @property
    def is_trusted(self) -> bool:
        return self.kind in ("operator", "system")


OPERATOR = Actor("operator")
SYSTEM = Actor("system")
ANONYMOUS = Actor("anonymous")


def person(user_id: UUID) -> Actor:
    return Actor("user", user_id)
