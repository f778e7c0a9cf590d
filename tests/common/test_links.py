from __future__ import annotations

from uuid import UUID

import pytest
from django.template import Context, Engine
from django.test import override_settings
from django.urls import NoReverseMatch

from common.links import LinkNode, _address

DJANGOS = Engine()
TEXTS = [
    "{% url 'home' %}",
    "{% url view owner 'weather' %}",
    "{% url 'hosting:deployment' owner=owner name='a&b' %}",
    "{% autoescape off %}{% url 'hosting:deployment' owner=owner name='a&b' %}{% endautoescape %}",
    "{% url 'tasks:task' task %}",
    "{% url 'tasks:list' as there %}<{{ there }}>",
    "{% url 'nothing' as there %}<{{ there }}>",
]
urlpatterns: list[object] = []  # as a site without a page


def _context(owner: str) -> Context:
    return Context({"owner": owner, "view": "hosting:deployment", "task": UUID(int=7)})


@pytest.mark.parametrize("text", TEXTS)
def test_addresses_are_djangos_and_again(text: str) -> None:
    ours, theirs = (engine.from_string(text) for engine in (Engine.get_default(), DJANGOS))
    assert ours.nodelist.get_nodes_by_type(LinkNode)
    for owner in ("alice", "bob", "alice"):
        assert ours.render(_context(owner)) == theirs.render(_context(owner))


def test_an_address_is_worked_out_once() -> None:
    made = Engine.get_default().from_string("{% url view owner 'remembered' %}")
    made.render(_context("alice"))
    before = _address.cache_info()
    made.render(_context("alice"))
    after = _address.cache_info()
    assert (after.hits, after.misses) == (before.hits + 1, before.misses)


def test_another_list_of_addresses_has_its_own() -> None:
    made = Engine.get_default().from_string("{% url 'home' %}")
    assert made.render(Context()) == "/"
    with override_settings(ROOT_URLCONF=__name__), pytest.raises(NoReverseMatch):
        made.render(Context())
    assert made.render(Context()) == "/"
