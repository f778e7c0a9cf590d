"""The page of the design system: it shows what the style sheets and the sprite have, and nothing else."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from documentation.design import Token, file_of_the_site, icon_names, token_groups

CSS = """
:root {
  color-scheme: light dark;

  /* Surfaces, from below. */
  --canvas: light-dark(#ffffff, #000000);
  --shadow: 0 1px 2px light-dark(rgb(1 2 3 / 6%), rgb(0 0 0 / 40%));

  --gap: clamp(1rem, 2vw, 3rem); /* between things */
}

:root[data-theme="light"] { --other: 1; }
"""


def test_tokens_are_read_with_their_words() -> None:
    colours, rest = token_groups(CSS)
    assert (colours.words, colours.are_colours) == ("Surfaces, from below.", True)
    assert colours.tokens == (Token("canvas", "light-dark(#ffffff, #000000)", "", "#ffffff", "#000000"),)
    assert [(token.name, token.note) for token in rest.tokens] == [("shadow", ""), ("gap", "between things")]
    assert not rest.are_colours


@pytest.mark.django_db
def test_page_shows_every_token_and_icon_of_the_site(client: Client) -> None:
    text = client.get("/design").content.decode()
    css = file_of_the_site("css/tokens.css")
    tokens = {token.name for group in token_groups(css) for token in group.tokens}
    assert tokens == set(re.findall(r"--([\w-]+): ", css.split("@media")[0]))
    assert all(f"<code>--{name}</code>" in text for name in tokens)
    icons = icon_names(file_of_the_site("icons/lucide.svg"))
    assert len(icons) > 30 and all(f"lucide.svg#{name}" in text for name in icons)


@pytest.mark.django_db
def test_page_shows_every_element(client: Client) -> None:
    text = client.get("/design").content.decode()
    for mark in (
        "badge-warn",
        "alert-good",
        "data-copy-source",
        'class="empty"',
        "field-help",
        "errorlist",
        "<time",
        "field-required",
        'class="fold"',
        'class="empty empty-small"',
        'class="panel-foot"',
        'class="select-small"',
        'class="tabs-row scroll-row"',
    ):
        assert mark in text
    assert client.post("/design").status_code == 405
