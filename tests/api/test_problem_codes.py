"""Where a problem document's `type` leads: an anchor on the docs page for each kind of problem."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from hosting.api.problem_codes import CODES
from hosting.api.reference import reference_of
from hosting.api.views.documents import schema
from hosting.quotas.quotas import NAMES
from tests.api.conftest import ApiClient

ROOT = Path(__file__).parents[2]
ERRORS = {"AppError", "BadInput", "Conflict", "Forbidden", "NotFound", "Unavailable"}
# Raised where the API doesn't come: commands, sign-in, accounts and organizations, operators' services.
ELSEWHERE = {
    "account_changed", "account_exists", "account_needed", "address_changed", "address_taken", "administrator_exists",
    "administrators_only", "call_forbidden", "client_id_missing", "client_needed", "credential_unknown",
    "domain_unknown", "elicitation_unknown", "invitation_gone", "invitation_unknown", "invitations_too_many",
    "last_owner", "link_gone", "list_too_long", "mail_unsent", "may_not_found", "may_not_invite", "member_already",
    "member_unknown", "name_in_use", "name_invalid", "name_missing", "name_reserved", "name_taken", "name_too_long",
    "offer_changed", "organization_unknown", "organizations_too_many", "owners_only", "page_over", "pages_unknown",
    "password_refused", "permission_of_all", "permission_unknown", "personal_origin", "personal_too_many",
    "personal_unknown", "provider_unknown", "quota_negative", "quota_unknown", "restart_refused", "role_unknown",
    "runner_address_invalid", "runner_name_invalid", "runner_unknown", "service_account", "service_account_unknown",
    "service_accounts_too_many", "sign_up_closed", "signed_out", "title_missing", "yourself",
}  # fmt: skip


def raised() -> Iterator[str]:
    """The codes that the source gives to errors."""
    files = [file for app in ("accounts", "common", "events", "hosting") for file in (ROOT / app).rglob("*.py")]
    files += [ROOT / "oauth" / f"{name}.py" for name in ("api_tokens", "authentication", "scopes")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ERRORS:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z_]+", str(first.value)):
                    yield str(first.value)


def test_every_code_is_described() -> None:
    missing = set(raised()) - set(CODES) - ELSEWHERE
    assert not missing, f"describe these in hosting/api/problem_codes.py: {sorted(missing)}"
    assert {f"quota_{name}" for name in NAMES} <= set(CODES)


@pytest.mark.django_db
def test_type_of_a_problem_leads_to_its_anchor(api: ApiClient) -> None:
    page = Client().get("/api/docs").content.decode()
    anchors = re.findall(r'id="problem-([^"]+)"', page)
    assert sorted(anchors) == sorted(CODES)
    for answer in (
        api("GET", "deployments/alice/none"),
        api("GET", "nowhere"),
        api("GET", "deployments?limit=0"),
        api("PATCH", "deployments"),
        ApiClient("")("GET", "deployments"),
        ApiClient("x")("GET", "deployments"),
    ):
        page_of, _, anchor = answer.body["type"].partition("#problem-")
        assert page_of.endswith("/api/docs") and anchor == answer.code and anchor in anchors


def test_reference_takes_what_a_schema_may_leave_out() -> None:
    """A view that is described by others, or not at all, must not take the page down."""
    bare = {
        "paths": {
            "/x/{thing}": {
                "get": {"responses": {"200": {}, "default": {"content": {"text/plain": {}}}}},
                "parameters": [{"name": "thing", "in": "path"}],
                "post": {
                    "operationId": "post",
                    "requestBody": {"content": {"application/zip": {}, "application/json": {"example": {"a": "it's"}}}},
                    "responses": {},
                    "parameters": [{"name": "list", "schema": {"type": "array"}}, {"$ref": "#/components/x"}],
                },
            }
        }
    }
    (group,) = reference_of(bare).groups
    get, post = group.operations
    assert (get.summary, post.summary) == ("GET /x/{thing}", "post")
    assert [field.name for field in post.parameters] == ["thing", "list"]
    assert "THING" in post.curl
    assert reference_of({"paths": {}}).groups == []
    assert reference_of(schema()).groups
