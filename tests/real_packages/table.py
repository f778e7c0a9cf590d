"""`python -m tests.real_packages.table`: docs/real-packages.md from what the last run of the tests left."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.real_packages.outcomes import Outcome, load
from tests.real_packages.packages import NAMED, OTHERS
from tests.real_packages.test_real_packages import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "real-packages.md"
WORDS = 180  # of a reason, in characters
HEAD = """# Real packages

What became of real servers when they were hosted with nothing but their names: `./manage.py host npm:…` or `pypi:…`, in
the sandbox, with the default limits and no settings. `pytest -m slow tests/real_packages` does it again, and
`python -m tests.real_packages.table` writes this page from what it found. Seconds are from the command to the answer,
download and build included, on a shared machine.

"A setting" means that the server exits before it answers and says what it wants: the deployment's page names it, and
opens the form there. "As of" means that the newest dependencies kept it from starting: those of its release day serve.
"""


def main() -> None:
    outcomes = load(RESULTS)
    lines = [HEAD]
    for title, packages in (("Servers that the field names", NAMED), ("Others", OTHERS)):
        found = [outcomes[package] for package in packages if package in outcomes]
        counts = Counter(map(_kind, found))
        words = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        lines += [f"## {title}\n", f"{len(found)} tried: {words}.\n"]
        lines += ["| Package | Resolved | What came of it | Seconds |", "|---|---|---|---|", *map(_row, found), ""]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


def _kind(outcome: Outcome) -> str:
    return "needs the network" if outcome.words.startswith("needs the network") else outcome.kind


def _row(outcome: Outcome) -> str:
    if outcome.tools is not None:
        words = "starts: 1 tool" if outcome.tools == 1 else f"starts: {outcome.tools} tools"
    elif outcome.needs:
        words = f"needs a setting: `{outcome.needs}`"
    else:
        words = outcome.words[:WORDS].replace("|", "\\|") + ("…" if len(outcome.words) > WORDS else "")
    if outcome.as_of:
        words += f" (dependencies as of {outcome.as_of})"
    return f"| `{outcome.package}` | {outcome.resolved} | {words} | {outcome.seconds:.0f} |"


if __name__ == "__main__":
    main()
