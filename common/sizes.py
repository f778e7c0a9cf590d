"""Sizes in bytes as people read them, in the language of this thread's reader: "0.50 GiB", "0,50 GiB"."""

from __future__ import annotations

from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


def kibibytes(octets: float) -> str:
    return gettext("%(count)s KiB") % {"count": number(octets / KIB, 0)}


def mebibytes(octets: float) -> str:
    return gettext("%(count)s MiB") % {"count": number(octets / MIB, 0)}


def gibibytes(octets: float) -> str:
    return gettext("%(count)s GiB") % {"count": number(octets / GIB, 2)}


def number(value: float, decimals: int) -> str:
    """Rounded; Django's own cuts a float off."""
    return number_format(f"{value:.{decimals}f}", decimals)
