from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import structlog

from config.launch.output import FILE_BYTES, PartOutput
from config.logs import MASK, hide_secrets, logging_config, mask_text

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("GET /join/uLyG4yHE6oa1qU88K5vq-g", f"GET /join/{MASK}"),
        ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {MASK}"),
        (f"verifying {JWT} failed", f"verifying {MASK} failed"),
        ("GET /cb?state=abcdefgh&code=ijklmnop", f"GET /cb?state={MASK}&code={MASK}"),
        ("postgresql://slipway:correct-horse@db/site", f"postgresql://slipway:{MASK}@db/site"),
        ("GET /servers/ took 3 ms at http://127.0.0.1:8000/", "GET /servers/ took 3 ms at http://127.0.0.1:8000/"),
        ("joined /joint/venture", "joined /joint/venture"),
    ],
)
def test_secrets_in_a_text_are_masked(line: str, masked: str) -> None:
    assert mask_text(line) == masked


def test_values_of_telling_keys_are_masked_at_every_depth() -> None:
    event = {"event": "x", "password": "p", "env": {"API_KEY": "k", "HOME": "/"}, "tokens": ["a"], "token_count": 3}
    assert hide_secrets(None, "info", event) == {
        "event": "x",
        "password": MASK,
        "env": {"API_KEY": MASK, "HOME": "/"},
        "tokens": [MASK],
        "token_count": 3,
    }


def test_a_record_of_any_library_becomes_one_line_of_json_without_its_secrets() -> None:
    config = logging_config("json", "INFO")["formatters"]["structured"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=config["processors"], foreign_pre_chain=config["foreign_pre_chain"]
    )
    try:
        raise ValueError(f"bad token {JWT}")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("library", logging.ERROR, "f.py", 1, "at /join/%s", ("abcdefghijkl",), info)
    line = formatter.format(record)
    assert "\n" not in line and JWT not in line and "abcdefghijkl" not in line
    assert json.loads(line)["level"] == "error"
    assert json.loads(line)["event"] == f"at /join/{MASK}"


def test_a_part_s_warnings_reach_the_terminal_and_everything_its_file(tmp_path: Path) -> None:
    said: list[str] = []
    output = PartOutput("worker", tmp_path, said.append)
    lines = [
        {"event": "quiet", "level": "info"},
        {"event": "loud", "level": "warning", "deployment": "alice/time", "timestamp": "t"},
        {"event": "broken", "level": "error", "exception": "Traceback …\nValueError: no"},
    ]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines) + b"plain \xff words"
    for at in range(0, len(data), 7):  # in pieces, as a pipe may give them
        output.feed(data[at : at + 7])
    output.close()
    assert said == ["worker: warning: loud deployment=alice/time", "worker: error: broken – ValueError: no"]
    assert (tmp_path / "worker.log").read_bytes() == data
    assert output.tail[-1] == "plain \ufffd words"


def test_a_log_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    output = PartOutput("web", tmp_path, lambda line: None)
    for _ in range(25):
        output.feed(b"x" * (1024 * 1024))
    output.close()
    assert (tmp_path / "web.log").stat().st_size <= FILE_BYTES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web.log", "web.log.1"]
