"""A deployment's feed: what its instances print and become, for the pages and the tail that quotes an exit."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable

import msgspec

from hosting.runner.frames import Kind
from hosting.runner.log import Log
from hosting.runner.masking import forms_of, spellings
from hosting.runner.seen import InstanceSeen, OutputLine
from hosting.runner.spill import Spill

KEEP_LINES = 500
LINE_BYTES = 4096
OUTPUT_BYTES = 64 * 1024  # a longer line comes by its beginning
LINES_PER_SECOND = 200
TRACES_PER_SECOND = 100
TRACE_BYTES = 64 * 1024 + 400  # a body and what stands before it
MAX_MASKED = 3000
MAX_TOKENS = 200
MASK = "[secret]"
OWNER = "system"
ANONYMOUS = "anonymous"  # begins the owner of what callers without an account ask for

_FRAME = re.compile(r"at \S.*(?::\d+:\d+\)?|<anonymous>\)?)$|Node\.js v\d|[\^~ ]+$")

_encode = msgspec.json.Encoder().encode


class Feed:
    """One bounded log a deployment. A child that floods is cut off for the rest of the second, and that is said."""

    _tokens: tuple[str, ...] = ()  # the newest first

    def __init__(self, deployment: str, spill: Spill) -> None:
        self.log = Log(f"feed:{deployment}", OWNER, spill=spill)
        self.lines: deque[OutputLine] = deque(maxlen=KEEP_LINES)
        self._masked: tuple[str, ...] = ()  # the longest first
        self._second = 0
        self._count = 0
        self._traced_second = 0
        self._traced = 0

    @property
    def takes_trace(self) -> bool:
        """Whether one more message should be traced: somebody watches, and they don't come too fast to be read."""
        if not self.log.followers:
            return False
        second = int(time.time())
        if second != self._traced_second:
            self._traced_second, self._traced = second, 0
        self._traced += 1
        return self._traced <= TRACES_PER_SECOND

    def output(
        self, instance: str, line: bytes, stream: str = "stderr", *, who: str = "", is_open: bool = False
    ) -> None:
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
            text = self._beginning(line, OUTPUT_BYTES)
            self._add(OutputLine(now, instance, stream, text[:LINE_BYTES], who, is_open))

    def trace(self, instance: str, line: bytes, *, who: str, is_open: bool) -> None:
        """One message of the conversation that `takes_trace` had room for."""
        text = self._beginning(line, TRACE_BYTES)
        self._add(OutputLine(time.time(), instance, "protocol", text, who, is_open))

    def hide(self, values: Iterable[str]) -> None:
        """From now on these are not shown, nor as JSON spells them. Earlier ones neither: instances that have them may
        still run."""
        forms = {form for value in values for form in forms_of(value)}
        spelled = forms.union(*map(spellings, forms))
        self._masked = tuple(sorted({*self._masked, *spelled}, key=len, reverse=True)[:MAX_MASKED])

    def hide_token(self, token: str) -> None:
        """The same for one that others will follow: only the last ones can still be said."""
        if token and token not in self._tokens:
            self._tokens = (token, *self._tokens)[:MAX_TOKENS]

    def masked(self, text: str) -> str:
        for value in (*self._tokens, *self._masked):
            text = text.replace(value, MASK)
        return text

    def _beginning(self, line: bytes, most: int) -> str:
        """The line without secrets; about its first `most` bytes where it has more. What may begin a secret at
        the cut is left out: half of one could not be told from other text any more."""
        if len(line) <= most:
            return self.masked(line.decode("utf-8", "backslashreplace"))
        margin = max((len(value.encode()) for value in (*self._tokens, *self._masked[:1])), default=0)
        text = self.masked(line[: most + margin].decode("utf-8", "backslashreplace"))
        return text[: max(0, len(text) - margin)]

    def _add(self, line: OutputLine) -> None:
        is_long = len(line.line) > LINE_BYTES
        self.lines.append(msgspec.structs.replace(line, line=line.line[:LINE_BYTES]) if is_long else line)
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
