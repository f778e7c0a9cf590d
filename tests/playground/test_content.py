"""Forms, results and code as elements of a page: what they hold, and that nothing in them is markup of a server's."""

from __future__ import annotations

import ast
import json
import shlex
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.playground.conftest import Run
from tests.servers.travel import EVIL, TRIP

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOW = "(document.body.replaceChildren(...[{}].flat()), null)"


async def read_after(run: Run, schema: Any, initial: Any = None) -> Any:
    """What a form holds that nobody touched."""
    found = await run("form", "JSON.stringify(m.makeForm(a[0], a[1] ?? undefined).read())", [schema, initial])
    return json.loads(found)


async def test_a_form_holds_what_the_schema_says_to_begin_with(run: Run) -> None:
    assert await read_after(run, TRIP) == {
        "traveller": {},
        "stops": [{"nights": 2}],
        "travel_by": "train",
        "quiet": False,
    }


async def test_values_pass_through_a_form_unchanged(run: Run) -> None:
    value = {
        "traveller": {"name": "Ada\nLovelace", "email": "a@b", "born": "1815-12-10"},
        "stops": [{"city": "Bern", "nights": 1}, {"city": "Basel", "nights": 30}],
        "travel_by": "boat",
        "leave": "2026-07-28T09:30:00.000Z",
        "budget": {"kind": "daily", "each_day": 12.5},
        "interests": ["food", "music"],
        "note": "",
        "quiet": True,
        "extra": {"a": "b"},
    }
    assert await read_after(run, TRIP, value) == {key: value[key] for key in value if key != "note"}
    assert await run("form", "m.makeForm(a[0], a[1]).check().length", [TRIP, {**value, "note": "x"}]) == 0


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"node": {"$ref": "#"}}, "required": ["node"]},
        {"properties": {"a": {"$ref": "#/properties/a"}}},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"properties": {"__proto__": {"type": "string"}, "constructor": {"default": 1}}},
        {"properties": {"a": {"enum": []}, "b": {"oneOf": []}, "c": {"type": []}, "d": None, "e": 3, "f": False}},
        {"properties": []},
        {"properties": {"a": {"type": "array", "items": {"$ref": "#"}, "minItems": 1}}},
        {"required": "a", "properties": {"a": {"type": "string", "title": {}, "description": [], "examples": "x"}}},
    ],
)
async def test_no_schema_breaks_the_page(run: Run, schema: Any) -> None:
    assert isinstance(await run("form", "m.makeForm(a).check()", schema), list)


async def test_what_is_wrong_is_told_at_its_field(page: Page, run: Run) -> None:
    await run("form", f"(window.form = m.makeForm(a), {SHOW.format('window.form.element')})", TRIP)
    assert await page.evaluate("window.form.check().length") == 3
    name = page.get_by_label("Full name")
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(name).to_have_accessible_description("This is needed.")
    await page.get_by_label("Full name").fill("Ada")
    await page.get_by_label("email").fill("nobody")
    await page.get_by_label("city").fill("B")
    await page.get_by_label("nights").fill("31")
    said = await page.evaluate("window.form.check().map(({ path, message }) => [path, message])")
    assert said == [
        [["traveller", "email"], "Write an e-mail address, such as ada@example.org."],
        [["stops", 0, "city"], "At least 2 characters; there are 1."],
        [["stops", 0, "nights"], "At most 30."],
    ]
    await expect(name).not_to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("email")).to_be_focused()


async def test_a_table_is_a_table_and_the_rest_a_tree(page: Page, run: Run) -> None:
    value = {"rows": [{"a": 1, "b": "x"}, {"a": 2, "c": None}], "deep": {"er": [True, {"k": EVIL}]}}
    await run("result", SHOW.format("m.shownResult({ structuredContent: a })"), value)
    assert await page.locator("th").all_inner_texts() == ["a", "b", "c"]
    assert await page.locator("td").all_inner_texts() == ["1", "x", "", "2", "", "null"]
    for name in ("er 2 items", "1 1 member"):
        await page.locator("summary", has_text=name).last.click()
    await expect(page.locator(".playground-tree")).to_contain_text(json.dumps(EVIL))


@pytest.mark.parametrize(
    "text",
    [
        EVIL,
        f"# {EVIL}\n\n**{EVIL}**",
        f"[x](javascript:alert(1)) {EVIL}",
        "![](https://spy.example/a.png)",
        "```\n" + EVIL,
    ],
)
async def test_markdown_makes_no_markup_of_its_own(page: Page, run: Run, text: str) -> None:
    await run("markdown", SHOW.format("m.markdown(a)"), text)
    assert await page.locator("img, script, [onerror], a[href^=javascript]").count() == 0
    assert await page.title() == "Playground"


async def test_markdown_is_read_as_models_write_it(page: Page, run: Run) -> None:
    text = "# One\nTwo *three* `<b>` **four**\n\n- a\n- [b](https://example.org/?q=1)\n\n1. c\n\n> d\n\n"
    text += "```py\nx = 1\n```\nsnake_case_name"
    await run("markdown", SHOW.format("m.markdown(a)"), text)
    assert await page.locator("h4, em, strong, li, blockquote, pre, p > code").all_inner_texts() == [
        "One", "three", "<b>", "four", "a", "b", "c", "d", "x = 1",
    ]  # fmt: skip
    await expect(page.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    await expect(page.locator("p").last).to_have_text("snake_case_name")


GIVEN = {"a": 'it\'s "q" ü \u2028', "b": [True, None, 1.5], "c": {}, "$x": "`$HOME`\n"}


async def test_code_to_take_away_means_the_same_values(run: Run) -> None:
    call = {"name": "do'it", "arguments": GIVEN}
    words = shlex.split(await run("snippets", "m.curl('https://s.example/mcp/a/b', a, { 'Mcp-Name': 'x' })", call))
    body = json.loads(words[words.index("-d") + 1])
    assert body["params"]["arguments"] == GIVEN and body["params"]["name"] == "do'it"
    assert words[1] == "https://s.example/mcp/a/b" and "Mcp-Name: x" in words
    assert ast.literal_eval(await run("snippets", "m.literal(a)", GIVEN)) == GIVEN
    compile(await run("snippets", "m.python('https://s.example', a)", call), "snippet", "exec")
    assert "Bearer eyJ" not in await run("snippets", "m.typescript('https://s.example', a)", call)


@pytest.mark.parametrize(
    ("template", "expanded"),
    [
        ("a://{city}/x", "a://Z%C3%BCrich%2FSee/x"),
        ("a://{+city}", "a://Z%C3%BCrich/See"),
        ("a://x{?city,none,n}", "a://x?city=Z%C3%BCrich%2FSee&n=1"),
        ("a://x{/n,city*}", "a://x/1/Z%C3%BCrich%2FSee"),
        ("a://{odd name}", "a://"),
    ],
)
async def test_templates_of_addresses_are_expanded(run: Run, template: str, expanded: str) -> None:
    assert await run("template", "m.expand(a[0], a[1])", [template, {"city": "Zürich/See", "n": "1"}]) == expanded
