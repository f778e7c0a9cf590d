"""Writing `_meta` into parameters: with and without parsing them, the same comes out. A message is one line."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hosting.runner.upstream import messages as m

KEYS = st.sampled_from(["_meta", "name", "arguments", "ä", "x"])
VALUES = st.none() | st.integers() | st.text() | st.dictionaries(KEYS, st.text() | st.integers(), max_size=2)
ADDED = {"a": 1, "io.modelcontextprotocol/b": {"c": []}}
MEMBERS = b'"a":1,"io.modelcontextprotocol/b":{"c":[]}'


@given(st.dictionaries(KEYS, VALUES, max_size=3), st.booleans(), st.sampled_from([None, 1]))
def test_both_ways_agree(params: dict[str, Any], is_ascii: bool, indent: int | None) -> None:
    if not isinstance(params.get("_meta", {}), dict):
        del params["_meta"]
    raw = json.dumps(params, ensure_ascii=is_ascii, indent=indent).encode()
    written = json.loads(m.with_meta_members(raw, MEMBERS))
    assert written == json.loads(m.with_meta(raw, ADDED))
    assert written["_meta"] == {**params.get("_meta", {}), **ADDED}


def test_no_parameters_and_a_meta_in_another_spelling() -> None:
    assert json.loads(m.with_meta_members(b"", MEMBERS)) == {"_meta": ADDED}
    assert json.loads(m.with_meta_members(b"{ }", MEMBERS)) == {"_meta": ADDED}
    spelled = rb'{"\u005fmeta":{"own":1}}'
    assert m.with_meta_members(spelled, MEMBERS).count(b"meta") == 1
    assert json.loads(m.with_meta_members(spelled, MEMBERS)) == {"_meta": {"own": 1, **ADDED}}


def test_what_was_written_over_several_lines_is_one_message() -> None:
    """A line of its own would be a message that nobody looked at: no policy of tools, no record."""
    inner = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"held"}}'
    raw = b'{"clientInfo":{"name":\r\n"c","x":\n' + inner + b"\n}\r}"
    made = [
        m.request(1, b'"initialize"', raw),
        m.notification("notifications/x", raw),
        m.response(1, result=raw),
        m.response(1, error=raw),
    ]
    for line in made:
        assert line.count(b"\n") == 1 and line.endswith(b"\n") and b"\r" not in line
        assert json.loads(raw) in json.loads(line).values()
