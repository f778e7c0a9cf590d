"""What production must not start with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def no_anonymous_publishing(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """A site that others reach is the one with an https address."""
    if settings.REGISTRY_ANONYMOUS and settings.PUBLIC_URL.is_https:
        return [
            Error(
                "REGISTRY_ANONYMOUS lets anybody publish, which is for trying things out on this machine only.",
                hint="Unset it, or leave SLIPWAY_URL at an address of this machine.",
                id="registry.E001",
            )
        ]
    return []
