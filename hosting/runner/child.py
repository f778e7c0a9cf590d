"""One started process with its pipes attached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hosting.runner.feed import OUTPUT_BYTES
from hosting.runner.pipes import Begun, LineReader, PipeWriter
from hosting.runner.runtimes.base import Exit, Process

INPUT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Handed:
    """What the runner needs to take a child up again after it has executed itself anew."""

    pid: int  # by which the runtime knows the process
    unsent: bytes  # accepted for its input and not yet written
    begun: tuple[Begun, ...]  # of its output and its error output
    broken: str  # what an unusable pipe was reported as


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
        self._report = broken
        self._was_broken = ""
        self._writer = PipeWriter(process.stdin, INPUT_BYTES, self._broken)
        self._readers = [
            LineReader(
                process.stdout, limit, line=line, oversized=oversized, closed=lambda: self._broken("closed its output")
            ),
            LineReader(process.stderr, OUTPUT_BYTES, line=printed, oversized=printed, closed=lambda: None),
        ]

    def write(self, line: bytes) -> None:
        self._writer.write(line)

    def _broken(self, what: str) -> None:
        self._was_broken = what
        self._report(what)

    # --- over a restart of the runner in place

    def pause(self) -> None:
        """Read nothing more: what it prints waits in its pipes."""
        for reader in self._readers:
            reader.pause()

    def resume(self) -> None:
        for reader in self._readers:
            reader.resume()

    @property
    def handed(self) -> Handed:
        begun = tuple(reader.begun for reader in self._readers)
        return Handed(self.process.pid, self._writer.unsent, begun, self._was_broken)

    def go_on(self, handed: Handed) -> None:
        """As the same child that was handed over: with its half-read lines, and what was not yet written to it."""
        for reader, begun in zip(self._readers, handed.begun, strict=True):
            reader.go_on(begun)
        if handed.unsent:
            self._writer.write(handed.unsent)
        if handed.broken:
            self._broken(handed.broken)

    # --- its end

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
