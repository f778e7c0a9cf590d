"""Servers of the registry as a search of the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from registry.search import facets as known
from registry.search.finding import MAX_PAGES, SORTS, Search

MAX_FACETS = 50


class ServerQuery(serializers.Serializer[Any]):
    q = serializers.CharField(
        required=False, default="", max_length=200, trim_whitespace=False, help_text="Words; the last may be begun."
    )
    facets = serializers.CharField(
        required=False,
        default="",
        max_length=1000,
        help_text="`package:npm,secrets:none`: any value of a group, and all groups.",
    )
    updated = serializers.ChoiceField([name for name, _, _ in known.AGES], required=False, default="")
    sort = serializers.ChoiceField(list(SORTS), required=False, default="")
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=MAX_PAGES)

    def validate_facets(self, value: str) -> str:
        unknown = [one for one in _named(value) if not known.bits([one])]
        if unknown:
            raise serializers.ValidationError(f"There is no facet {':'.join(unknown[0])!r}. The answer names them all.")
        return value


def _named(text: str) -> list[tuple[str, str]]:
    found = [one.partition(":") for one in text.split(",")[:MAX_FACETS] if one]
    return [(group, name) for group, _, name in found]


def search_of(query: dict[str, Any]) -> Search:
    """Of a checked ServerQuery."""
    mask = known.bits(_named(query["facets"]))
    chosen = {group.name: mask & group.mask(value.name for value in group.values) for group in known.GROUPS}
    return Search(
        text=query["q"].replace("\0", " "),
        chosen={name: of_group for name, of_group in chosen.items() if of_group},
        age=query["updated"],
        sort=query["sort"],
        page=query["page"],
    )


class ServerSerializer(serializers.Serializer[Any]):
    """A server's latest version, in short. The registry's own API at /v0.1 has all of it."""

    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    version = serializers.CharField()
    status = serializers.CharField()
    published_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="The last change of any version.")
    versions = serializers.IntegerField(help_text="How many there are.")
    facets = serializers.ListField(child=serializers.CharField(), source="facet_names", help_text="`package:npm` …")


class ServersSerializer(serializers.Serializer[Any]):
    """A page of what was found."""

    items = ServerSerializer(many=True)
    total = serializers.IntegerField()
    next = serializers.IntegerField(allow_null=True, help_text="The next page; null on the last one.")
    counts = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        help_text="How many there would be by each facet, with the choices in other groups.",
    )
    corrected = serializers.DictField(
        child=serializers.CharField(), help_text="Words that were taken for others, with these."
    )
    is_widened = serializers.BooleanField(help_text="Few have all words, so those with some follow.")
