"""Which eras the server of a deployment speaks, as far as its children were asked."""

from __future__ import annotations

from hosting.runner.upstream.base import is_modern

BOTH = frozenset({"legacy", "modern"})


class Eras:
    """`known` is what the site found when it looked last: "", legacy, modern or dual."""

    def __init__(self, known: str) -> None:
        self._spoken: set[str] = set(BOTH) if known == "dual" else {known} - {""}
        self._asked: set[str] = set(self._spoken)  # whatever the answer was

    def found(self, revision: str, era: str) -> None:
        """A child that was started for a client of `revision` speaks this."""
        self._asked.add("modern" if is_modern(revision) else "legacy")
        self._spoken.add(era)

    def gives_modern(self, revision: str) -> bool:
        """Whether the child that a client of `revision` gets is a modern one, as far as it is known."""
        if is_modern(revision):
            return not (self._spoken == {"legacy"} and "modern" in self._asked)
        return self._spoken == {"modern"} and "legacy" in self._asked

    def known_for(self, revision: str) -> str:
        """What need not be found out again for such a client."""
        if self._spoken == BOTH:
            return "dual"
        wanted = "modern" if is_modern(revision) else "legacy"
        if wanted in self._spoken:
            return wanted
        return next(iter(self._spoken)) if wanted in self._asked and self._spoken else ""

    @property
    def has_modern(self) -> bool:
        return "modern" in self._spoken

    def word(self) -> str:
        """As `known` is spelled."""
        return "dual" if len(self._spoken) == 2 else next(iter(self._spoken), "")
