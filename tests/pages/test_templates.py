"""What must hold for every template, style and module, whichever page uses it. Reads files only."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import allauth
import pytest
from django.contrib.staticfiles import finders
from django.template import Context, Template
from django.template.loader import get_template, render_to_string

from common import clock
from common.sentence_case import sentence_case
from hosting.templatetags.humane import ago, pretty_json

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted((ROOT / "static/js").rglob("*.js"))
STYLES = sorted((ROOT / "static/css").rglob("*.css"))
NONCE = 'nonce="{{ request.csp_nonce }}"'
DATA = 'type="application/json"'  # is never run
ALLAUTH = Path(allauth.__file__).parent / "templates"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_compiles_and_fits_the_content_security_policy(path: Path) -> None:
    get_template(path.relative_to(ROOT / "templates").as_posix())
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", text)
    scripts = [tag for tag in re.findall(r"<script\b[^>]*>", text) if DATA not in tag]
    assert all("src=" in tag and NONCE in tag for tag in scripts)


@pytest.mark.parametrize(
    "name",
    [
        path.relative_to(ALLAUTH).as_posix()
        for path in sorted(ALLAUTH.rglob("*.html"))
        if re.search(r"<script(?![^>]*application/json)", path.read_text())
    ],
)
def test_script_of_a_library_has_the_nonce_of_the_page(name: str) -> None:
    ours = (ROOT / "templates" / name).read_text()
    sources = r"<script[^>]* src=\"{% static '([^']+)' %}\""
    assert re.findall(sources, ours) == re.findall(sources, (ALLAUTH / name).read_text())


@pytest.mark.parametrize("app", ["account", "mfa", "socialaccount"])
def test_titles_of_a_library_are_written_as_ours(app: str) -> None:
    texts = "".join(path.read_text() for path in (ALLAUTH / app).rglob("*.html"))
    titles = set(re.findall(r"{% ?trans(?:late)? \"([^\"]*[a-z][ -][A-Z][^\"]*)\"", texts))
    assert {title for title in titles if sentence_case(title) == title} == {
        "This functionality requires JavaScript."
    } & titles
    assert "Two-factor" in Template('{% load i18n %}{% trans "Two-Factor Authentication" %}').render(Context())


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_names_only_what_exists(path: Path) -> None:
    text = path.read_text()
    for asset in re.findall(r"{% static '([^']+)' %}", text):
        assert finders.find(asset), asset
    icons = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons/lucide.svg").read_text()))
    used = re.findall(r'{% icon "([^"]+)"', text) + re.findall(r'(?<![\w-])icon="([^"]+)"', text)
    assert set(used) <= icons
    controllers = re.findall(r'data-controller="([a-z ]+)"', text)
    assert {name for each in controllers for name in each.split()} <= {
        module.stem for module in MODULES if module.parent.name == "controllers"
    }


# What is no language: names, commands and configuration that are shown as they are.
_NOT_WORDS = re.compile(
    r"{% (blocktranslate|setvar|comment)\b.*?{% end\1 %}|{#.*?#}|{%.*?%}|{{.*?}}|<(script|code|pre|samp)\b.*?</\2>"
    r"|<!doctype html>",
    re.DOTALL,
)
_NAMES = {"Claude", "Code", "VS", "Cursor", "JSON", "Python", "curl", "PyPI", "npm", "URL", "README", "OpenAPI"} | {
    "Problem", "Slipway", "alice", "time", "ms",
}  # fmt: skip
_SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"]*)"')
_COMMANDS = {"hosting/_host_command.html", "hosting/_token_command.html"}


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    if path.relative_to(ROOT / "templates").as_posix() in _COMMANDS:
        return
    text = _NOT_WORDS.sub(" ", path.read_text())
    shown = " ".join([re.sub(r"<[^>]*>", " ", text), *_SPOKEN.findall(text)])
    assert set(re.findall(r"[A-Za-z]{2,}", shown.replace("server.json", ""))) <= _NAMES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 100


@pytest.mark.parametrize("path", [style for style in STYLES if style.name != "tokens.css"], ids=name_of)
def test_style_takes_its_colours_from_the_tokens(path: Path) -> None:
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", path.read_text())


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


TEXTS = ["text", "text-muted", "accent", "accent-strong", "good", "warn", "bad"]
PAIRS = [(text, ground, 4.5) for text in TEXTS for ground in ("canvas", "surface", "sunken", "hover")] + [
    ("accent-strong", "accent-soft", 4.5),
    ("good", "good-soft", 4.5),
    ("warn", "warn-soft", 4.5),
    ("bad", "bad-soft", 4.5),
    ("text", "bad-soft", 4.5),
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5),
    ("line-strong", "surface", 3.0),
    ("focus", "canvas", 3.0),
    ("focus", "surface", 3.0),
]


@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_tokens_have_contrast_in_both_schemes(text: str, ground: str, least: float) -> None:
    css = (ROOT / "static/css/tokens.css").read_text()
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)
    tokens = {name: (light, dark) for name, light, dark in found}
    for scheme in (0, 1):
        assert contrast(tokens[text][scheme], tokens[ground][scheme]) >= least


@pytest.mark.parametrize("code", [400, 403, 404, 429, 500])
def test_error_page_needs_no_request(code: int) -> None:
    page = render_to_string(f"{code}.html")
    assert str(code) in page
    assert 'href="/"' in page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (10, "just now"),
        (50, "1 minute ago"),
        (130, "2 minutes ago"),
        (3600, "1 hour ago"),
        (200_000, "2 days ago"),
    ],
)
def test_ago_names_one_unit(seconds: int, words: str) -> None:
    assert ago(clock.now() - timedelta(seconds=seconds)) == words


def test_ago_of_nothing_is_never() -> None:
    assert ago(None) == "never"


def test_pretty_json_keeps_letters_as_they_are() -> None:
    assert pretty_json({"name": "Zürich"}) == '{\n  "name": "Zürich"\n}'
