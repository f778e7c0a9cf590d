from __future__ import annotations

import pytest
from django.template import Context, Engine
from django.utils.translation import deactivate_all, override

from common.i18n import Remembering

DJANGOS = Engine(libraries={"i18n": "django.templatetags.i18n"})
# Texts that Django has in its own catalogues.
PLAIN = [
    '{% translate "Yes" %}',
    "{% trans 'No' as word %}<{{ word }}>",
    '{% translate "50% <b>off</b>" %}',
]
OTHERS = [
    "{% translate word %}",
    '{% translate "yes"|capfirst %}',
    '{% translate "Yes" noop %}',
    '{% translate "May" context "abbrev. month" %}',
    '{% translate "May" context "alt. month" as word %}{{ word }}',
]


@pytest.mark.parametrize("text", [*PLAIN, *OTHERS])
def test_texts_are_djangos_in_every_language_and_again(text: str) -> None:
    ours, theirs = (engine.from_string("{% load i18n %}" + text) for engine in (Engine.get_default(), DJANGOS))
    assert bool(ours.nodelist.get_nodes_by_type(Remembering)) == (text in PLAIN)
    for language in ("en", "de", "fr", "en", "de"):
        with override(language):
            assert ours.render(_context()) == theirs.render(_context()), language
    with override("fr"):
        deactivate_all()
        assert ours.render(_context()) == theirs.render(_context())


def test_the_languages_differ() -> None:
    made = Engine.get_default().from_string('{% load i18n %}{% translate "Yes" %}')
    found = []
    for language in ("en", "de", "fr", "de"):
        with override(language):
            found.append(made.render(_context()))
    assert found == ["Yes", "Ja", "Oui", "Ja"]


def _context() -> Context:
    return Context({"word": "Yes"})
