"""Which settings of a server are accounts that each user connects, as the API reads and writes it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.fields import StrictSerializer
from hosting.credentials.accounts import chosen_now
from hosting.models import Deployment
from hosting.routing import OWN_ACCOUNT
from oauth.outbound.discovery import MAX_SCOPE, MAX_SCOPES


class AccountSerializer(StrictSerializer):
    """A setting that each user connects an account for."""

    setting = serializers.CharField(max_length=200, help_text="env:NAME, or header:NAME of a remote server.")
    provider = serializers.CharField(max_length=40, allow_blank=True, help_text="Its name; empty where it is gone.")
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=MAX_SCOPE),
        max_length=MAX_SCOPES,
        help_text="None: those that the provider is set up with.",
    )


class AccountsSerializer(StrictSerializer):
    """All of them. What is connected for a setting that is none any more is ended, and revoked there."""

    accounts = AccountSerializer(many=True)
    each_signs_in = serializers.BooleanField(help_text="Of a remote server: with an account of each user's own there.")


def accounts_shown(deployment: Deployment) -> dict[str, Any]:
    """What AccountsSerializer writes."""
    return {
        "accounts": [
            {"setting": key, "provider": one.provider, "scopes": list(one.scopes)}
            for key, one in chosen_now(deployment).items()
        ],
        "each_signs_in": OWN_ACCOUNT in deployment.personal_accounts,
    }
