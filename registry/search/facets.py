"""What servers can be filtered by. Each value is one bit of a server's `facets`, so that one GROUP BY counts all. Pure.

Numbers are kept in rows: a new value goes to the end, and rows get it when they are indexed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Value:
    group: str
    name: str
    bit: int
    label: StrOrPromise


@dataclass(frozen=True)
class Group:
    """`name` is the parameter in addresses, and its values' prefix."""

    name: str
    label: StrOrPromise
    values: tuple[Value, ...]

    def mask(self, names: Iterable[str]) -> int:
        """The bits of these values; unknown ones count for nothing."""
        wanted = set(names)
        return sum(1 << value.bit for value in self.values if value.name in wanted)


_TABLE: Final[tuple[tuple[str, StrOrPromise, tuple[tuple[str, StrOrPromise], ...]], ...]] = (
    (
        "package",
        gettext_lazy("Package"),
        (
            ("npm", "npm"),
            ("pypi", "PyPI"),
            ("oci", gettext_lazy("Container image")),
            ("mcpb", gettext_lazy("MCP bundle")),
            ("nuget", "NuGet"),
            ("cargo", "Cargo"),
            ("other", gettext_lazy("Other")),
        ),
    ),
    (
        "runs",
        gettext_lazy("Where it runs"),
        (("local", gettext_lazy("On your machine")), ("remote", gettext_lazy("At its provider"))),
    ),
    (
        "transport",
        gettext_lazy("Transport"),
        (("stdio", "stdio"), ("streamable-http", "Streamable HTTP"), ("sse", "HTTP+SSE")),
    ),
    (
        "secrets",
        gettext_lazy("Secrets"),
        (("none", gettext_lazy("Needs none")), ("needed", gettext_lazy("Needs some"))),
    ),
    (
        "sign_in",
        gettext_lazy("Signs in"),
        (
            ("none", gettext_lazy("Not declared")),
            ("variable", gettext_lazy("Key in a variable")),
            ("header", gettext_lazy("Key in a header")),
            ("oauth", "OAuth"),
        ),
    ),
    (
        "revision",
        gettext_lazy("Protocol"),
        (
            ("2024-11-05", "2024-11-05"),
            ("2025-03-26", "2025-03-26"),
            ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"),
            ("2026-07-28", "2026-07-28"),
        ),
    ),
    (
        "uses",
        gettext_lazy("Uses"),
        (("tasks", gettext_lazy("Tasks")), ("elicitation", gettext_lazy("Questions to people"))),
    ),
    ("hosted", gettext_lazy("Hosted"), (("here", gettext_lazy("On this site")),)),
    (
        "verified",
        gettext_lazy("Verified"),
        (
            ("here", gettext_lazy("By this site")),
            ("upstream", gettext_lazy("By another registry")),
            ("no", gettext_lazy("By nobody")),
        ),
    ),
    (
        "status",
        gettext_lazy("Status"),
        (("active", gettext_lazy("Active")), ("deprecated", gettext_lazy("Deprecated"))),
    ),
)


def _groups() -> tuple[Group, ...]:
    bit = 0
    found = []
    for name, label, values in _TABLE:
        made = tuple(Value(name, value, bit + number, words) for number, (value, words) in enumerate(values))
        bit += len(values)
        found.append(Group(name, label, made))
    return tuple(found)


GROUPS: Final = _groups()
BY_NAME: Final[Mapping[str, Group]] = {group.name: group for group in GROUPS}
_BITS: Final = sum(len(group.values) for group in GROUPS)
_ALL: Final = (1 << _BITS) - 1

# The youngest first. A server updated yesterday is in all of them.
AGES: Final = (
    ("day", gettext_lazy("Past day"), 1),
    ("week", gettext_lazy("Past week"), 7),
    ("month", gettext_lazy("Past month"), 30),
    ("year", gettext_lazy("Past year"), 365),
)


def bits(values: Iterable[tuple[str, str]]) -> int:
    """Of ("package", "npm") and the like; what isn't known counts for nothing."""
    found = 0
    for group, value in values:
        if group in BY_NAME:
            found |= BY_NAME[group].mask((value,))
    return found


def names(number: int) -> list[str]:
    """`package:npm` and so on, for programs."""
    return [f"{group.name}:{value.name}" for group in GROUPS for value in group.values if number >> value.bit & 1]


def counted(
    combinations: Iterable[tuple[int, int, int]], chosen: Mapping[str, int], age: str = ""
) -> tuple[int, dict[str, dict[str, int]]]:
    """The total, and for each value how many there would be: with the other groups' choices, without its own group's.

    `combinations` are (facets, age class, count); class 0 is the youngest of AGES, len(AGES) older than all.
    """
    groups = [(group, chosen.get(group.name, 0)) for group in GROUPS]
    most = next((number for number, (name, _, _) in enumerate(AGES) if name == age), len(AGES))
    by_age = [0] * (len(AGES) + 1)
    alike: dict[int, int] = {}  # by facets, of those that pass every group
    but_for: dict[str, dict[int, int]] = {}  # and of those that fail one
    for number, age_class, count in combinations:
        failing = [group.name for group, mask in groups if mask and not number & mask]
        is_old = age_class > most
        if len(failing) + is_old > 1:
            continue
        if not failing:
            by_age[age_class] += count
        if not is_old:
            there = but_for.setdefault(failing[0], {}) if failing else alike
            there[number] = there.get(number, 0) + count
    everywhere = _by_bit(alike)
    counts = {}
    for group in GROUPS:
        here = _by_bit(but_for[group.name]) if group.name in but_for else None
        counts[group.name] = {
            value.name: everywhere[value.bit] + (here[value.bit] if here else 0) for value in group.values
        }
    counts["updated"] = {name: sum(by_age[: place + 1]) for place, (name, _, _) in enumerate(AGES)}
    return sum(alike.values()), counts


def _by_bit(counts: Mapping[int, int]) -> list[int]:
    found = [0] * _BITS
    for number, count in counts.items():
        rest = number & _ALL
        while rest:
            lowest = rest & -rest
            found[lowest.bit_length() - 1] += count
            rest ^= lowest
    return found
