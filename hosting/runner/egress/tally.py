"""What went out, by deployment, host and port; and the lines that say so in a deployment's output."""

from __future__ import annotations

import time
from collections import OrderedDict

from hosting.runner.egress.messages import ROWS_A_PACKET, Note, Report
from hosting.runner.seen import EgressCount

MAX_HOSTS = 1000  # of one deployment, counted apart; the names are a stranger's choice
OTHERS = "(other hosts)"
NOTE_SECONDS = 60.0  # until the same line is said again
MAX_SAID = 5000
NOTES_A_REPORT = 20  # of one instance
MAX_HOST = 255


class Count:
    """One row since the last report; tunnels add to it directly."""

    __slots__ = ("connections", "deployment", "host", "octets", "port", "refused")

    def __init__(self, deployment: str, host: str, port: int) -> None:
        self.deployment, self.host, self.port = deployment, host, port
        self.connections = self.refused = self.octets = 0


class Tally:
    """Of one proxy process. `report` gives what was added, once."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], Count] = {}
        self._hosts: dict[str, int] = {}
        self._said: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._notes: list[Note] = []
        self._noted: dict[str, int] = {}

    def at(self, deployment: str, host: str, port: int) -> Count:
        key = (deployment, host[:MAX_HOST], port)
        found = self._counts.get(key)
        if found is None:
            if self._hosts.get(deployment, 0) >= MAX_HOSTS:
                key = (deployment, OTHERS, 0)
                found = self._counts.get(key)
            else:
                self._hosts[deployment] = self._hosts.get(deployment, 0) + 1
        if found is None:
            found = self._counts[key] = Count(*key)
        return found

    def note(self, deployment: str, instance: str, line: str) -> None:
        now, key = time.monotonic(), (instance, line)
        noted = self._noted.get(instance, 0)
        if now - self._said.get(key, -NOTE_SECONDS) < NOTE_SECONDS or noted >= NOTES_A_REPORT:
            return
        self._noted[instance] = noted + 1
        self._said[key] = now
        self._said.move_to_end(key)
        if len(self._said) > MAX_SAID:
            self._said.popitem(last=False)
        self._notes.append(Note(deployment, instance, line))

    def forget(self, deployment: str) -> None:
        """No instance of it is left here. What was counted is still reported."""
        for key in [key for key, one in self._counts.items() if key[0] == deployment and not _row(one)]:
            del self._counts[key]
        self._hosts[deployment] = sum(1 for key in self._counts if key[0] == deployment)
        if not self._hosts[deployment]:
            del self._hosts[deployment]

    def reports(self) -> list[Report]:
        """What was added since the last call, in packets."""
        rows = [row for one in self._counts.values() if (row := _row(one)) is not None]
        for one in self._counts.values():
            one.connections = one.refused = one.octets = 0
        notes, self._notes = self._notes, []
        self._noted.clear()
        found = []
        while rows or notes:
            found.append(Report(rows[:ROWS_A_PACKET], notes[:ROWS_A_PACKET]))
            rows, notes = rows[ROWS_A_PACKET:], notes[ROWS_A_PACKET:]
        return found


def _row(one: Count) -> EgressCount | None:
    if not (one.connections or one.refused or one.octets):
        return None
    return EgressCount(one.deployment, one.host, one.port, one.connections, one.refused, one.octets)
