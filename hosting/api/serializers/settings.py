"""What a server is started with, as the API reads and writes it."""

from __future__ import annotations

from typing import Any, get_args

from rest_framework import serializers

from common.api.fields import StrictSerializer, TextsField
from hosting.configuration.given import declared_for
from hosting.configuration.inputs import MAX_ARGUMENTS, MAX_SETTINGS, Plain, key_of, missing
from hosting.kinds.declared import Declared, Format, Where, asked
from hosting.models import Deployment


class InputSerializer(serializers.Serializer[Any]):
    """Something that the server asks for."""

    key = serializers.CharField(help_text="What its value is set by: env:NAME, argument:NAME, header:NAME …")
    name = serializers.CharField()
    where = serializers.ChoiceField(get_args(Where))
    flag = serializers.CharField(allow_blank=True, help_text="Of a named argument.")
    description = serializers.CharField(allow_blank=True)
    is_required = serializers.BooleanField()
    is_secret = serializers.BooleanField()
    is_repeated = serializers.BooleanField(help_text="It takes several values, one on each line.")
    default = serializers.CharField(allow_blank=True)
    choices = serializers.ListField(child=serializers.CharField())
    format = serializers.ChoiceField(get_args(Format))
    placeholder = serializers.CharField(allow_blank=True)


class SettingsSerializer(serializers.Serializer[Any]):
    """What a server asks for and what it was given. Secrets are never shown, only since when each is set."""

    inputs = InputSerializer(many=True)
    values = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text="Plain values by key.")
    arguments = serializers.ListField(child=serializers.CharField(), help_text="Of the command, after all others.")
    secrets = serializers.DictField(child=serializers.DateTimeField(), help_text="By key, since when it is set.")
    missing = serializers.ListField(child=serializers.CharField(), help_text="Keys of required inputs without a value.")


class SettingsChangeSerializer(StrictSerializer):
    """Sets what is named. A name is a key (env:NAME) or the name of an input; an empty value removes it."""

    values = TextsField(required=False)
    secrets = TextsField(required=False, write_only=True, help_text="They are sealed, and never shown again.")
    removed = serializers.ListField(child=serializers.CharField(), required=False, max_length=MAX_SETTINGS)
    arguments = serializers.ListField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False), required=False, max_length=MAX_ARGUMENTS
    )


class SettingsReplaceSerializer(SettingsChangeSerializer):
    """Plain values and arguments are exactly these afterwards; secrets that aren't named stay."""

    values = TextsField()


def settings_shown(deployment: Deployment) -> dict[str, Any]:
    """What SettingsSerializer writes."""
    declared = declared_for(deployment)
    plain = Plain.from_json(deployment.inputs)
    return {
        "inputs": [_input_shown(one) for one in asked(declared)],
        "values": plain.values,
        "arguments": plain.arguments,
        "secrets": plain.sealed_at,
        "missing": [key_of(one) for one in missing(declared, {*plain.values, *plain.sealed_at})],
    }


def _input_shown(one: Declared) -> dict[str, Any]:
    return {"key": key_of(one), **{name: getattr(one, name) for name in _OWN}}


_OWN = frozenset(InputSerializer._declared_fields) - {"key"}
