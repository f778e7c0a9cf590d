"""Markdown as a page: what the renderer makes of each part, and that nothing in a file is HTML of its own."""

from __future__ import annotations

import pytest

from documentation.rendering import Rendered, Step, console_steps, rendered

PAGES = {"docs/hosting.md": "/docs/hosting", "benchmarks/README.md": "/docs/benchmarks"}


def made(text: str) -> Rendered:
    return rendered(text, path="docs/here.md", pages=PAGES, site="https://slipway.example")


def test_title_lead_and_contents_are_taken_from_the_text() -> None:
    page = made("# Title\n\nA lead with `code`\nand *more*.\n\n## One\n\n### Deeper\n\n#### Deepest\n")
    assert (page.title, page.lead) == ("Title", "A lead with code and more.")
    assert [(heading.level, heading.anchor) for heading in page.contents] == [(2, "one"), (3, "deeper")]
    assert "<h1" not in page.html and "deepest" in page.anchors


def test_headings_of_the_same_words_have_anchors_of_their_own() -> None:
    page = made("## What's new, really?\n\n## Again\n\n## Again\n")
    assert [heading.anchor for heading in page.contents] == ["whats-new-really", "again", "again-1"]
    assert '<h2 id="again-1"><a class="prose-anchor" href="#again-1">Again</a></h2>' in page.html


@pytest.mark.parametrize(
    ("href", "there"),
    [
        ("hosting.md", "/docs/hosting"),
        ("hosting.md#logs", "/docs/hosting#logs"),
        ("../benchmarks/README.md", "/docs/benchmarks"),
        ("#below", "#below"),
        ("/api/docs", "/api/docs"),
        ("https://example.org/", "https://example.org/"),
    ],
)
def test_a_link_leads_to_the_page_of_its_file(href: str, there: str) -> None:
    assert f'href="{there}"' in made(f"[words]({href})").html


def test_a_link_to_a_file_that_is_no_page_is_none() -> None:
    assert made("[words](../SECURITY.md)").html == "<p><a>words</a></p>\n"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a <b onclick=x>b</b>", "[x](javascript:alert(1))"])
def test_html_and_scripts_are_words(text: str) -> None:
    html = made(text).html
    assert "<script" not in html and "<b" not in html and "href" not in html


def test_examples_name_this_site() -> None:
    assert "https://slipway.example/mcp/alice/time" in made("`http://127.0.0.1:8000/mcp/alice/time`").html


def test_a_console_block_has_a_button_for_each_command_and_none_for_what_it_prints() -> None:
    html = made("```console\n$ ./manage.py a\nprinted <here>\n$ curl \\\n    x\n```\n").html
    assert html.count("data-copy-source") == 2
    assert "<code data-copy-source>./manage.py a</code>" in html
    assert "<samp>printed &lt;here&gt;</samp>" in html


def test_blocks_that_scroll_can_be_told_apart() -> None:
    html = made("## Part\n\n```text\na\n```\n\n```text\nb\n```\n\n| a |\n|---|\n| b |\n").html
    for label in ("Part (1)", "Part (2)", "Table: Part (3)"):
        assert html.count(f'aria-label="{label}"') == 1


def test_console_commands_go_on_over_lines() -> None:
    assert console_steps("$ a \\\n    b 'c\n      d'\nout\n    more\n$ e\n") == [
        Step("a \\\n    b 'c\n      d'", "out\n    more"),
        Step("e", ""),
    ]
    with pytest.raises(ValueError, match="begins with a command"):
        console_steps("out\n$ a\n")
