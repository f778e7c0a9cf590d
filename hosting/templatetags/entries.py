"""What pages of the registry show of hosting. The registry itself knows nothing of it: only these templates do."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from common.errors import BadInput
from hosting.kinds import server_json
from hosting.reasons import refusals_in_words
from registry.selectors import Shown

register = template.Library()


class Hosting(NamedTuple):
    """Where the form for it is; or why there is none."""

    url: str = ""
    refusal: str = ""


@register.simple_tag
def hosting_of(shown: Shown) -> Hosting:
    """Of the version shown, which the form then names too unless it is the latest."""
    try:
        with refusals_in_words():
            server_json.choose(shown.document)
    except BadInput as error:
        return Hosting(refusal=error.message)
    name = shown.server.name if shown.is_latest else f"{shown.server.name}@{shown.version.version}"
    return Hosting(f"{reverse('hosting:new')}?{urlencode({'reference': f'registry:{name}'})}")
