"""Brings entries of another registry here: from a file once, or from its address and then ever on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from events.actors import OPERATOR
from registry.importing import following
from registry.importing.importing import Report, file_import


class Command(OperatorCommand):
    help = (
        "Import entries of another registry from FILE (ndjson, gzipped or not, or an answer of the API), or from a "
        "registry's URL, which is then followed by the site's own jobs. What was published or changed here stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE|URL")
        parser.add_argument("--label", default="", help="who is said to have verified them; default: a URL's host")
        parser.add_argument("--interval", type=int, default=3600, help="seconds between two looks at a URL")
        parser.add_argument("--once", action="store_true", help="don't follow the URL afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        source: str = options["source"]
        if "://" in source:
            report = self._follow(source, options)
        else:
            path = Path(source)
            report = file_import(path, verified_by=options["label"], on_batch=self._tell)
        for reason in report.reasons:
            self.stderr.write(f"Not kept: {reason}.")
        self.stdout.write(f"{report}.")

    def _follow(self, url: str, options: dict[str, Any]) -> Report:
        upstream = following.upstream_add(
            actor=OPERATOR, url=url, label=options["label"], interval_seconds=options["interval"]
        )
        report = following.upstream_follow(upstream.pk, on_page=self._tell)
        if options["once"]:
            following.upstream_stop(actor=OPERATOR, upstream=upstream)
        return report

    def _tell(self, report: Report) -> None:
        if report.read % 10_000 < 1000:
            self.stderr.write(f"{report.read} read …")
