"""What was measured, as Markdown: medians over the rounds, and ratios to what the targets are set against."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from benchmarks.endpoint.load import Run

if TYPE_CHECKING:
    from benchmarks.endpoint.contenders import Contender

FLOOR = "plain ASGI echo"


class Table:
    """Runs by contender, tool and number of clients."""

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self._bridges = {contender.name for contender in contenders if contender.is_bridge}
        self._runs: dict[tuple[str, int], dict[str, list[Run]]] = {}

    def add(self, name: str, tool: str, clients: int, run: Run) -> None:
        self._runs.setdefault((tool, clients), {}).setdefault(name, []).append(run)

    def markdown(self) -> str:
        return "\n\n".join(self._section(tool, clients, runs) for (tool, clients), runs in self._runs.items())

    def _section(self, tool: str, clients: int, runs: dict[str, list[Run]]) -> str:
        what = "calls" if tool == "echo" else "calls with ten progress notifications"
        rates = {name: _median(run.rate for run in found) for name, found in runs.items()}
        best = max((rate for name, rate in rates.items() if name in self._bridges), default=0.0)
        floor = rates.get(FLOOR, 0.0)
        lines = [
            f"**{what}, {clients} client{'s' if clients > 1 else ''}**\n",
            "| | calls/s | to the best bridge | to plain ASGI | p50 ms | p99 ms | CPU µs a call |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, found in runs.items():
            good = [run for run in found if not run.problem]
            if not good:
                lines.append(f"| {name} | {found[-1].problem} | | | | | |")
                continue
            cells = [
                f"{rates[name]:,.0f}",
                f"{rates[name] / best:.2f}" if best else "",
                f"{rates[name] / floor:.2f}" if floor else "",
                f"{_median(run.p50 for run in good):.2f}",
                f"{_median(run.p99 for run in good):.2f}",
                f"{_median(run.cpu_microseconds for run in good):.0f}",
            ]
            bad = len(found) - len(good)
            lines.append(f"| {name}{f' ({bad} of {len(found)} runs failed)' if bad else ''} | {' | '.join(cells)} |")
        return "\n".join(lines)


def _median(values: Iterable[float]) -> float:
    return statistics.median(list(values) or [0.0])
