"""What the documentation says of commands, settings and pages exists. Reads files only; test_commands.py runs them."""

from __future__ import annotations

import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from documentation.library import Library, Page, library_of
from documentation.rendering import EXAMPLE_SITE
from tests.config.test_settings_documented import described
from tests.documentation.examples import ELSEWHERE, MODES, READ_ONLY, ROOT, Block, blocks

BLOCKS = list(blocks())
CONSOLE = [block for block in BLOCKS if block.language == "console"]
_LINK = re.compile(r'<a href="([^"]+)"')
_SETTING = re.compile(r"<code>((?:SLIPWAY|REGISTRY|MCP)_[A-Z_]+)(?:=[^<]*)?</code>")
_COMMAND = re.compile(r"\./manage\.py ([a-z_]+)")


@cache
def documentation() -> Library:
    return library_of(ROOT, EXAMPLE_SITE)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_says_what_it_is(block: Block) -> None:
    """An indented block has no language; a new one has to be a command that runs or one of the known."""
    if block.language == "console":
        assert block.rest in MODES
        assert block.steps
    else:
        assert block.language in READ_ONLY
        assert not block.rest or Path(block.rest).name == block.rest


def manage_commands() -> list[str]:
    found = {
        words
        for block in CONSOLE
        for step in block.steps
        for words in re.findall(r"\./manage\.py [^\n)|&;]+", step.command)
    }
    return sorted(found)


def test_commands_are_found_at_all() -> None:
    assert len(manage_commands()) > 15
    assert len([block for block in CONSOLE if block.is_run]) > 15


@pytest.mark.parametrize("line", manage_commands())
def test_command_exists_and_has_these_options(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)  # exits where it does not


@pytest.mark.parametrize("block", [block for block in CONSOLE if block.rest == "elsewhere"], ids=str)
def test_what_is_not_run_has_a_reason(block: Block) -> None:
    for step in block.steps:
        assert step.command.startswith((*ELSEWHERE, "cd ")), step.command


@pytest.mark.parametrize("block", [block for block in CONSOLE if block.rest == "benchmark"], ids=str)
def test_benchmark_exists(block: Block) -> None:
    for step in block.steps:
        module = re.search(r"python -m (benchmarks(?:\.\w+)+)", step.command)
        assert module and importlib.util.find_spec(module[1]), step.command


@pytest.mark.parametrize("shown", documentation().pages, ids=lambda shown: shown.source.slug)
def test_links_lead_somewhere(shown: Page) -> None:
    anchors = {each.url: each.content.anchors for each in documentation().pages}
    for href in _LINK.findall(shown.content.html):
        parts = urlsplit(href)
        if parts.scheme:
            assert parts.scheme == "https" or href.startswith(EXAMPLE_SITE), href
            continue
        if parts.path not in anchors and parts.path:
            resolve(parts.path)
        elif parts.fragment:
            assert parts.fragment in anchors[parts.path or shown.url], href


@pytest.mark.parametrize("shown", documentation().pages, ids=lambda shown: shown.source.slug)
def test_settings_and_commands_named_in_a_text_exist(shown: Page) -> None:
    html = shown.content.html
    assert set(_SETTING.findall(html)) <= described()
    assert set(_COMMAND.findall(html)) <= set(get_commands())
