"""What a hostile server can say to the Playground: nothing of it stops the page or is taken for something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.playground.conftest import Run

pytestmark = pytest.mark.asyncio(loop_scope="module")

# How long the page may be busy with one of these, by its own clock. This is no promise of speed: each takes about a
# second, and several on a machine that does much else. It tells them from what would go on without end.
SECONDS = 20.0


def loop(count: int, **more: Any) -> dict[str, Any]:
    """An object that needs `count` of itself."""
    names = [f"p{number}" for number in range(count)]
    return {"type": "object", "properties": {name: {"$ref": "#"} for name in names}, "required": names, **more}


def laughs(count: int) -> dict[str, Any]:
    """Each definition is made of many of the next one."""
    part = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * count} for n in range(20)}
    return {"type": "object", "$defs": part, "properties": {"a": {"$ref": "#/$defs/d0"}}}


DEEP: Any = {}
for _ in range(9):
    DEEP = {"p0": DEEP, "p1": DEEP}


def form(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


WILD = ("#/%", "#/%zz/a", "", "#x", "/", "#/properties/0", "https://example.org/schema.json")
NAMES = ("__proto__", "constructor", "toString", "hasOwnProperty")
ODD = {"toString": 1}
KEYWORDS = ("title", "description", "default", "examples", "enum", "format", "pattern", "minItems", "const", "items")
SCHEMAS: dict[str, Any] = {
    "none": {},
    "true": True,
    "null": None,
    "a list": [],
    "text": "object",
    "itself": {"$ref": "#"},
    "itself among others": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"type": "string"}]},
    "all of itself": {"allOf": [{"$ref": "#"}] * 20},
    "needs itself": loop(20),
    "needs itself by a default": loop(2, default=DEEP),
    "laughs": laughs(20),
    "a list of itself": form(a={"type": "array", "items": {"$ref": "#"}, "minItems": 9}),
    "wild references": form(**{str(number): {"$ref": one} for number, one in enumerate(WILD)}),
    "odd numbers of items": form(**{str(n): {"type": "array", "items": {}, "minItems": n} for n in (-5, 1.5, 1e308)}),
    "names of every object": form(**{name: form(a={}) for name in NAMES}),
    "titles that are no text": form(
        a={"oneOf": [{"const": 1, "title": ODD}]}, b={"enum": [1], "enumNames": [ODD]}, c={"const": ODD}
    ),
    "keywords of no type": form(a=dict.fromkeys(KEYWORDS, ODD), b={"prefixItems": 3, "if": 3, "not": 3, "$defs": 3}),
    "2020-12": {
        **form(
            a={"type": "array", "prefixItems": [{"type": "string"}], "items": False},
            b={"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "number"}},
        ),
        "additionalProperties": {"type": "string"},
        "dependentRequired": {"a": ["b"]},
        "unevaluatedProperties": False,
    },
    "many members": form(**{f"p{n}": {"type": "string", "description": "d" * 40} for n in range(12_000)}),
    "many choices": form(a={"enum": [f"choice {n}" for n in range(30_000)]}),
    "many ways": form(a={"anyOf": [form(k={"const": n}, x={"type": "string"}) for n in range(3_000)]}),
}


def timed(*statements: str, found: str = "") -> str:
    """A script that does this and gives the milliseconds it took; with `found`, a list of them and what that gives."""
    body = "\n  ".join(f"{one};" for one in statements)
    return f"""await (async () => {{
  const began = performance.now();
  {body}
  const took = performance.now() - began;
  return {f"[took, {found}]" if found else "took"};
}})()"""


_PANEL = """await (async () => {
  const began = performance.now();
  const given = new m.Arguments(JSON.parse(a) ?? {});
  document.body.append(given.element);
  const value = given.read(() => {});
  given.switch.click();
  const found = { took: (performance.now() - began) / 1000, count: given.element.querySelectorAll("*").length, value };
  given.element.remove();
  await new Promise((then) => setTimeout(then));
  return found;
})()"""


@pytest.mark.parametrize("name", SCHEMAS)
async def test_a_form_is_made_of_any_schema(run: Run, name: str) -> None:
    found = await run("arguments", _PANEL, json.dumps(SCHEMAS[name]))
    assert found["took"] < SECONDS and found["count"] < 40_000


async def test_schemas_of_a_megabyte_are_among_them() -> None:
    assert len(json.dumps(SCHEMAS["many members"])) > 1_000_000


async def test_a_name_of_every_object_is_set_by_nobody(run: Run) -> None:
    schema = json.dumps(SCHEMAS["names of every object"])  # as text: Playwright would lose one of them
    assert (await run("arguments", _PANEL, schema))["value"] == {}
    given = '{"__proto__": {"a": 1}}'
    script = f"JSON.stringify(m.makeForm(JSON.parse(a), JSON.parse('{given}')).read())"
    assert json.loads(await run("form", script, schema)) == {"__proto__": {"a": 1}}
    assert await run("form", "({}).a === undefined") is True


@pytest.mark.parametrize("schema", [{"anyOf": [{"$ref": "#"}] * 3}, loop(10), {"$ref": "#"}])
async def test_a_value_is_judged_in_time(run: Run, schema: Any) -> None:
    value: Any = 1
    for _ in range(9):
        value = {f"p{number}": value for number in range(3)}
    assert await run("validate", timed("m.problems(a.v, a.s, a.s)"), {"v": value, "s": schema}) < SECONDS * 1000


PATTERNS = [
    "(a+)+$", "(a|a)*$", "(a|aa)+$", "((a*))*$", "a*a*a*a*a*a*b", "(.*)\\1+$", "(?:a{1,9}){1,9}$", "(x+x+)+y",
    "((a+)b?)+$", "(a?){60}a{60}$", f"{'a?' * 40}{'a' * 40}$", f"{'(a|a)' * 40}b", "((?:a|a)b?){30}c", ".*.*.*.*b",
    "[" * 90_000,
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_a_pattern_keeps_nobody_waiting(run: Run, pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    for value in ("a" * 60 + "!", "x" * 100, "a" * 5000 + "!"):
        script = timed("m.problems(a.v, a.s, a.s)")
        assert await run("validate", script, {"v": value, "s": schema}) < SECONDS * 1000


PLAIN = {
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$": "01a20264-2a27-7277-b5a6-824724dc938d",
    "^(red|green|blue)$": "blue",
    r"^[\w.%+-]+@[a-z0-9.-]+\.[a-z]{2,}$": "ada@example.org",
    "^https?://[^/|]+$": "https://example.org",
    "^(a|b)c+?$": "acc",
    "^[(*+?{|]$": "|",
}


@pytest.mark.parametrize("pattern", PLAIN)
async def test_a_pattern_that_takes_no_time_is_judged(run: Run, pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    told = [await run("validate", "m.problems(a.v, a.s, a.s)", {"v": v, "s": schema}) for v in (PLAIN[pattern], "#")]
    assert told == [[], [{"path": [], "message": f"It has to match {pattern}"}]]


TEXTS = {
    "brackets": "**a**" + "[" * 99_000,
    "links": "**a**" + "[a](" * 25_000,
    "backticks": "**a**" + "`a``b```c" * 11_000,
    "stars": "**a" * 33_000,
    "lines": "- a\n" + "\n" * 99_000 + "x",
    "blanks": "# " + " \t" * 49_000 + "x",
    "signs": "# " + "#" * 99_000 + "x",
    "deep lists": "- a\n" + "  - b\n" * 15_000,
    "underlines": "**a** " + "_a __b " * 14_000,
    "turned round": "**a** \u202e\u2066evil\u2069\u0007\u001b[31m\u200b" * 5_000,
}


@pytest.mark.parametrize("name", TEXTS)
async def test_a_text_is_shown_in_time_whatever_it_is(run: Run, name: str) -> None:
    script = timed(
        "const shown = m.content({ type: 'text', text: a })",
        found="/[\\u0007\\u001b\\u200b\\u202e]/.test(shown.textContent)",
    )
    took, has_invisible = await run("content", script, TEXTS[name])
    assert took < SECONDS * 1000 and not has_invisible


def content(*blocks: Any) -> dict[str, Any]:
    return {"content": list(blocks)}


RESULTS: list[Any] = [
    None,
    3,
    "text",
    [],
    {"content": None},
    content(None, 3, [], {}, {"type": "constructor"}),
    content({"type": "text"}, {"type": "text", "text": ODD}),
    content({"type": "image", "data": "%%%", "mimeType": "image/png"}, {"type": "audio", "mimeType": "audio/wav"}),
    content({"type": "resource"}, {"type": "resource", "resource": {"uri": 3}}),
    content({"type": "resource_link", "uri": 5}, {"type": "resource_link", "uri": "javascript:alert(1)", "name": {}}),
    {"contents": [None, {"uri": None, "blob": "not base64!"}, {"uri": "a:b", "blob": 3}]},
    {"messages": [None, {}, {"role": ODD, "content": None}]},
    {"structuredContent": json.loads('{"__proto__": {"x": 1}, "constructor": [1], "toString": null}')},
    {"structuredContent": [[]] * 10_000, **content(*[{"type": "text", "text": "x"}] * 5_000)},
]


@pytest.mark.parametrize("number", range(len(RESULTS)))
async def test_any_result_is_shown(run: Run, number: int) -> None:
    script = timed(
        "const shown = document.createElement('div')",
        "shown.append(...m.shownResult(JSON.parse(a), () => {}))",
        "shown.querySelectorAll('details').forEach((one) => { one.open = true; })",
        found="shown.querySelectorAll('*').length, shown.querySelectorAll('a[href^=\"javascript\"]').length",
    )
    took, count, links = await run("result", script, json.dumps(RESULTS[number]))
    assert took < SECONDS * 1000 and 0 < count < 20_000 and links == 0


async def test_ten_megabytes_are_shown_by_their_beginning(run: Run) -> None:
    script = timed(
        "const shown = document.createElement('div')",
        "const content = [{ type: 'text', text: 'x'.repeat(a) }]",
        "const structuredContent = { text: 'y'.repeat(10) }",
        "shown.append(...m.shownResult({ content, structuredContent }, () => {}))",
        found="shown.textContent.length",
    )
    took, length = await run("result", script, 10 * 1024 * 1024)
    assert took < SECONDS * 1000 and length < 120_000


async def test_a_storm_of_news_leaves_the_page_awake(run: Run) -> None:
    script = """await (async () => {
      const one = new m.Run({ announce: () => {}, read: () => {} });
      document.body.append(one.element);
      const t = performance.now();
      await one.start("storm", async ({ progress, log }) => {
        for (const odd of [undefined, null, 3, {}, { progress: 1, total: 1e999 }, { progress: {}, total: "9" }]) {
          progress(odd);
          log(odd);
        }
        for (let n = 0; n < a; n += 1) {
          progress({ progress: n, total: a, message: "\\u202e" + n });
          log({ level: "info", data: { n } });
        }
        return { content: [{ type: "text", text: "calm" }] };
      });
      const found = [performance.now() - t, one.element.textContent.includes("calm")];
      found.push(one.element.querySelectorAll("*").length);
      one.element.remove();
      return found;
    })()"""
    took, is_done, count = await run("run", script, 10_000)
    assert took < 2 * SECONDS * 1000 and is_done and count < 2_500


async def test_the_trace_does_not_fill_the_memory(run: Run) -> None:
    script = """(() => {
      const trace = new m.Trace();
      for (let n = 0; n < 40; n += 1) trace.received({ id: n, result: {} }, undefined, 10 * 1024 * 1024);
      return trace.entries.map((entry) => entry.id);
    })()"""
    assert await run("trace", script) == [37, 38, 39]
