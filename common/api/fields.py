"""Serializers and fields that the API's requests are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError

from common.api.bodies import check_text


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: one that was mistyped would be left out in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {name: f"There is no such field. There are {', '.join(self.fields)}." for name in unknown[:10]},
                    code="field_unknown",
                )
        return super().to_internal_value(data)


def _from_form(value: Any) -> Any:
    """In a form (multipart) an object is sent as its JSON text."""
    try:
        found = json.loads(value)
        check_text(found)
    except (ValueError, RecursionError, TypeError, ParseError):
        return value
    return found


class ObjectField(serializers.DictField):
    """An object of any values."""

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        return _from_form(value) if isinstance(value, str) else value


class TextsField(ObjectField):
    """An object of texts, which are taken as they are."""

    child = serializers.CharField(allow_blank=True, trim_whitespace=False)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class TextListField(serializers.ListField):
    """A list of texts, which are taken as they are."""

    child = serializers.CharField(allow_blank=True, trim_whitespace=False)

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        return _from_form(value) if isinstance(value, str) else value
