"""One started process with its pipes attached."""

from __future__ import annotations

from collections.abc import Callable

from hosting.runner.pipes import LineReader, PipeWriter
from hosting.runner.runtimes.base import Exit, Process

INPUT_BYTES = 16 * 1024 * 1024
STDERR_LINE_BYTES = 64 * 1024


class Child:
    """Owns the descriptors: whoever made it calls `stop` or waits for the exit, then `close`."""

    def __init__(
        self,
        process: Process,
        limit: int,
        *,
        line: Callable[[bytes], None],
        oversized: Callable[[bytes], None],
        printed: Callable[[bytes], None],
        broken: Callable[[str], None],
    ) -> None:
        self.process = process
        self._writer = PipeWriter(process.stdin, INPUT_BYTES, broken)
        self._readers = [
            LineReader(
                process.stdout, limit, line=line, oversized=oversized, closed=lambda: broken("closed its output")
            ),
            LineReader(process.stderr, STDERR_LINE_BYTES, line=printed, oversized=printed, closed=lambda: None),
        ]

    def write(self, line: bytes) -> None:
        self._writer.write(line)

    def drain(self) -> None:
        """Read what it printed before it ended."""
        for reader in self._readers:
            reader.drain()

    def close_pipes(self) -> None:
        for reader in self._readers:
            reader.close()
        self._writer.close()

    async def stop(self, grace_seconds: float) -> Exit:
        """Stop the process and everything it started."""
        self.close_pipes()
        return await self.process.stop(grace_seconds)

    def close(self) -> None:
        """After its end: give the descriptors back."""
        self.close_pipes()
        self.process.close()
