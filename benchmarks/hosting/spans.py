"""Spans of time by row, as medians and 95th percentiles in milliseconds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable


def p50(spans: Iterable[float]) -> float:
    return statistics.median(spans) * 1000


def p95(spans: Iterable[float]) -> float:
    found = sorted(spans)
    return found[min(len(found) - 1, int(len(found) * 0.95))] * 1000


class Rows:
    """Spans in seconds by row; spans of one round stand at one place in each row, so that rows can be paired."""

    def __init__(self) -> None:
        self._spans: dict[str, list[float]] = {}

    def add(self, row: str, seconds: float) -> None:
        self._spans.setdefault(row, []).append(seconds)

    def markdown(self, title: str, base: str = "") -> str:
        """`base` is the row that the others' difference is taken to, round by round."""
        lines = [f"| {title} | p50 ms | p95 ms | more than {base}: median of the rounds |" if base else ""]
        lines = lines if base else [f"| {title} | p50 ms | p95 ms |"]
        lines.append("|---|---|---|---|" if base else "|---|---|---|")
        for row, spans in self._spans.items():
            cells = [f"{p50(spans):.0f}", f"{p95(spans):.0f}"]
            if base:
                first = self._spans[base]
                is_paired = row != base and len(first) == len(spans)
                more = [one - other for one, other in zip(spans, first, strict=True)] if is_paired else []
                cells.append(f"{p50(more):.0f}" if more else "")
            lines.append(f"| {row} | {' | '.join(cells)} |")
        return "\n".join(lines)
