"""The hosts that an owner lists for a deployment. Pure grammar; the runner's proxy decides about addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext

from common.errors import BadInput

MAX_HOSTS = 200
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})+")


def hosts_parse(lines: Iterable[str]) -> list[str]:
    """Names such as api.example.org or *.example.org, in lower case, each once. Raises BadInput."""
    found: list[str] = []
    for line in lines:
        host = line.strip().lower().removesuffix(".")
        if not host:
            continue
        try:
            host = host.encode("idna").decode() if not host.isascii() else host
        except UnicodeError:
            raise _bad(line) from None
        is_address = re.fullmatch(r"[0-9.]+", host)
        if len(host) > 253 or not _HOST.fullmatch(host) or is_address:
            raise _bad(line)
        if host not in found:
            found.append(host)
    if len(found) > MAX_HOSTS:
        raise BadInput(
            "hosts_too_many",
            gettext("At most %(max_hosts)s hosts can be listed.") % {"max_hosts": MAX_HOSTS},
            field="egress_hosts",
        )
    return found


def _bad(line: str) -> BadInput:
    return BadInput(
        "host_invalid",
        gettext(
            "“%(line)s” is no host: write names such as api.example.org, or *.example.org for all below it, "
            "without https:// and without a path."
        )
        % {"line": line.strip()[:80]},
        field="egress_hosts",
    )
