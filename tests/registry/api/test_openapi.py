"""The API against both published descriptions of it: requests that they allow and requests that they don't.

`openapi-official.yaml` is what the official registry serves, `openapi-generic.yaml` what it asks of registries in
general. Each operation of either gets requests made by its description, right ones and wrong ones, with a token that
may do all, little or nothing, and at the end one that is right and finds what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from tests.registry.fakes.peers import peers_for
from tests.registry.fakes.web import Request, Response
from tests.registry.site import Site, bearer, document, put

DATA = Path(__file__).parents[1] / "data"
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
KNOWN = {"serverName": "io.example.tools/one", "version": "1.0.0"}
# What is wrong in openapi-generic.yaml, and what the official registry does not keep to either: errors are problem
# documents (RFC 9457), not {"error": …} as application/json, and there are more of them than each operation lists. (Its
# `$id` at the root, for which strict readers refuse it, tells here which of the two it is.) And in both: a NUL in an
# address is refused before anything else, as plain JSON (NUL).
DEFECTS = {checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance}

NUL = "contains null bytes"


def described(name: str) -> Any:
    return schemathesis.openapi.from_dict(yaml.safe_load((DATA / f"openapi-{name}.yaml").read_text()))


def operations() -> Iterator[Any]:
    for name in ("official", "generic"):
        for found in described(name).get_all_operations():
            operation = found.ok()
            yield pytest.param(operation, id=f"{name} {operation.label}")


def unknown(_: Request) -> Response:
    return Response(404)


@pytest.fixture
def filled(site: Site, tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Some servers; GitHub, issuers and name servers are this machine's, and know nothing."""
    put(KNOWN["serverName"], KNOWN["version"])
    put(KNOWN["serverName"], "1.1.0")
    put("io.example.tools/two", status="deprecated", status_message="old")
    put("io.example.tools/gone", status="deleted")
    with peers_for(tmp_path, settings) as peers:
        settings.REGISTRY_GITHUB_API, _ = peers.serve("api.github.test", unknown)
        settings.REGISTRY_GITHUB_ISSUER, _ = peers.serve("token.github.test", unknown)
        site.changes.wait()
        yield site


@pytest.mark.parametrize("examples", [4, pytest.param(80, marks=pytest.mark.slow)])
@pytest.mark.parametrize("operation", list(operations()))
def test_operation_is_as_described(operation: APIOperation[Any, Any, Any, Any], examples: int, filled: Site) -> None:
    tokens = [bearer(("publish", "*"), ("edit", "*")), bearer(("publish", "com.example/*")), {}]
    seen: set[int] = set()

    def check(case: Case[Any], headers: dict[str, str]) -> None:
        response = case.call(base_url=filled.url, headers=headers)
        seen.add(response.status_code)
        if NUL in response.text:
            assert (response.status_code, response.headers["content-type"]) == (400, ["application/json"])
            return
        checked = CHECKS
        if "$id" in operation.schema.raw_schema and response.status_code >= 400:
            checked = [one for one in CHECKS if one not in DEFECTS]
            assert response.headers["content-type"] == ["application/problem+json"]
            assert response.json()["status"] == response.status_code in (400, 401, 403, 404, 422)
        case.validate_response(response, checks=checked)

    @given(st.data())
    @settings(max_examples=examples, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def run(data: st.DataObject) -> None:
        case: Case[Any] = data.draw(operation.as_strategy())
        check(case, data.draw(st.sampled_from(tokens)))

    run()
    known = operation.Case(path_parameters=KNOWN if "{" in operation.path else {}, body=_body(operation))
    check(known, tokens[0])
    answers = "/auth/" not in operation.path and operation.method != "delete"  # nobody can prove anything, or delete
    assert (200 in seen) == answers


def _body(operation: APIOperation[Any, Any, Any, Any]) -> Any:
    """One that is right."""
    if not operation.body:
        return NOT_SET
    if operation.path.endswith("/status"):
        return {"status": "deprecated", "statusMessage": "Use the other one"}
    if operation.method == "put":
        return document(KNOWN["serverName"], KNOWN["version"], title="One")
    if "/auth/" in operation.path:
        return {}
    return document("io.example.tools/new", "2.0.0")
