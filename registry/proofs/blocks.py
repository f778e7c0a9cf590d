"""Namespaces that are blocked, and those that stay with the account that proved them first."""

from __future__ import annotations

from collections.abc import Iterable

from registry import permissions
from registry.models import BlockedNamespace, NamespaceHolder
from registry.permissions import Permission
from registry.proofs.errors import NamespaceBlocked


def without_blocked(granted: Iterable[Permission]) -> tuple[Permission, ...]:
    """Those that reach no blocked namespace. Raises NamespaceBlocked when none is left of some."""
    granted = tuple(granted)
    if permissions.covers_everything(granted) or not granted:
        return granted
    blocked = list(BlockedNamespace.objects.values_list("namespace", flat=True))
    left = tuple(each for each in granted if not any(_reaches(each, label) for label in blocked))
    if not left:
        raise NamespaceBlocked(granted[0].resource.rstrip("*").rstrip("./"))
    return left


def is_holder(namespace: str, account_id: int) -> bool:
    """Whether this GitHub account proved the namespace first. If nobody has yet, it does so now, for good."""
    holder, _ = NamespaceHolder.objects.get_or_create(namespace=namespace.lower(), defaults={"account_id": account_id})
    return holder.account_id == account_id


def _reaches(granted: Permission, label: str) -> bool:
    """Whether a pattern has a name in a blocked namespace or below. Another case is no way around a block."""
    pattern = granted.resource.lower()
    own = (f"{label}/", f"{label}.")
    if pattern.startswith(own):
        return True
    return pattern.endswith("*") and any(each.startswith(pattern[:-1]) for each in own)
