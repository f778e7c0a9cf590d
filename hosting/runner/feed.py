"""A deployment's feed: what its instances print and become, for the pages and the tail that quotes an exit."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable

import msgspec

from hosting.runner.control import InstanceSeen, OutputLine
from hosting.runner.frames import Kind
from hosting.runner.log import Log
from hosting.runner.spill import Spill

KEEP_LINES = 500
LINE_BYTES = 4096
LINES_PER_SECOND = 200
MAX_MASKED = 1000
MASK = "[secret]"
OWNER = "system"

_FRAME = re.compile(r"at \S.*(?::\d+:\d+\)?|<anonymous>\)?)$|Node\.js v\d|[\^~ ]+$")

_encode = msgspec.json.Encoder().encode


class Feed:
    """One bounded log a deployment. A child that floods is cut off for the rest of the second, and that is said."""

    def __init__(self, deployment: str, spill: Spill) -> None:
        self.log = Log(f"feed:{deployment}", OWNER, spill=spill)
        self.lines: deque[OutputLine] = deque(maxlen=KEEP_LINES)
        self._masked: tuple[str, ...] = ()  # the longest first
        self._second = 0
        self._count = 0

    def output(self, instance: str, line: bytes, stream: str = "stderr") -> None:
        now = time.time()
        if int(now) != self._second:
            cut = self._count - LINES_PER_SECOND
            self._second, self._count = int(now), 0
            if cut > 0:
                self._add(
                    OutputLine(now, instance, "protocol", f"{cut} lines were dropped: over {LINES_PER_SECOND} a second")
                )
        self._count += 1
        if self._count <= LINES_PER_SECOND:
            text = self.masked(line.decode("utf-8", "backslashreplace"))
            self._add(OutputLine(now, instance, stream, text[:LINE_BYTES]))

    def hide(self, values: Iterable[str]) -> None:
        """From now on these are not shown. Earlier ones neither: instances that have them may still run."""
        self._masked = tuple(sorted({*self._masked, *values}, key=len, reverse=True)[:MAX_MASKED])

    def masked(self, text: str) -> str:
        for value in self._masked:
            text = text.replace(value, MASK)
        return text

    def _add(self, line: OutputLine) -> None:
        self.lines.append(line)
        self.log.append(Kind.OUTPUT, _encode(line))
        self.log.keep_last(KEEP_LINES)

    def seen(self, instance: InstanceSeen) -> None:
        self.log.append(Kind.INSTANCE, _encode(instance))

    def tail(self, count: int) -> list[OutputLine]:
        return list(self.lines)[-count:] if count > 0 else []

    def last_words(self, instance: str, count: int = 5) -> str:
        """The last lines one instance printed on stderr, for the reason of its end."""
        own = [line.line.strip() for line in self.lines if line.instance == instance and line.stream == "stderr"]
        own = [line for line in own if line]
        said = [line for line in own if not _FRAME.match(line)]  # the reason stands above the stack
        return "\n".join((said or own)[-count:])[-1500:]
