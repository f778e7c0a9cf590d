"""Where a hosted server comes from: reference → exact package set → installed environment → command.

One module for each kind. Nothing here knows Django, the database or where environments are kept
(`hosting.environments` does).
"""

from __future__ import annotations

from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import Kind
from hosting.kinds.npm import Npm
from hosting.kinds.pypi import PyPI
from hosting.kinds.reference import Reference, parse
from hosting.kinds.remote import RemoteServer, remote_server
from hosting.kinds.source import Source

__all__ = ["BuildFailed", "Kind", "Reference", "RemoteServer", "kind_named", "parse", "remote_server"]

_KINDS: dict[str, Kind] = {"pypi": PyPI(), "npm": Npm(), "source": Source()}


def kind_named(name: str) -> Kind:
    """The kind of a parsed reference."""
    return _KINDS[name]
