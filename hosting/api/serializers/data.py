"""Data folders as the API reads them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class DataFolderSerializer(serializers.Serializer[Any]):
    """What a server keeps for one of its callers, or for all of them, while it sleeps."""

    key = serializers.CharField(help_text="Names it in addresses: a digest of whose it is.")
    user = serializers.CharField(
        source="folder.user.username",
        allow_null=True,
        default=None,
        help_text="Whose it is. null: shared by all callers, or of an account that is gone.",
    )
    is_shared = serializers.BooleanField(help_text="One folder for all callers; its owner reads it.")
    may_read = serializers.BooleanField(help_text="Whether you may download it.")
    size_bytes = serializers.IntegerField(source="folder.size_bytes")
    limit_bytes = serializers.IntegerField(help_text="Over it no instance starts. 0: none.")
    is_full = serializers.BooleanField()
    used_at = serializers.DateTimeField(source="folder.used_at")
    runner = serializers.CharField(source="folder.runner.name", help_text="Where it lies.")
