"""The threats to authorization, each with the tests that prove its control; and tests of those that had none elsewhere.

The numbers are those that docstrings ("Threat 6") refer to.
"""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Membership
from accounts.services import organization_create
from events.actors import OPERATOR
from events.models import AuditEntry
from oauth.consents import consent_revoke
from oauth.models import Application, Consent, RefreshToken
from tests.accounts.test_organizations import signed_in
from tests.factories import make_user
from tests.oauth.flow import CALLBACK, Flow, answered, make_client

HERE = Path(__file__).parents[1]

# Number, threat; and below it where its control is proved: file below tests/, and a test of it.
THREATS = """
1 a client rides on another's consent
    oauth/test_threats.py test_another_client_rides_on_no_consent
2 an answer from elsewhere that nobody here asked for
    hosting/remote_accounts/test_answers.py test_another_browser_brings_the_answer
    hosting/remote_accounts/test_answers.py test_a_state_counts_once_and_for_ten_minutes
3 a token for one server used at another
    oauth/test_flow_resource.py test_token_is_for_one_server_only
4 a token passed on
    mcp_endpoint/test_access.py test_what_proves_a_caller_does_not_reach_the_server
    runner/remote/test_legacy_wire.py test_the_owners_headers_are_sent_and_nothing_of_callers
5 a token for the whole site
    oauth/test_flow_resource.py test_only_servers_of_this_site_are_resources
    mcp_endpoint/test_access.py test_metadata_is_at_the_path_form_only
6 a code in other hands
    oauth/test_flow.py test_wrong_verifier_gets_nothing
7 an answer sent elsewhere
    oauth/test_redirects.py test_everything_else_does_not
8 a program that claims to be another
    oauth/test_threats.py test_local_program_is_never_silent
9 issuers mixed up
    hosting/remote_accounts/test_answers.py test_an_answer_in_the_name_of_another_issuer_gets_no_code_sent_anywhere
    hosting/remote_accounts/test_answers.py test_an_answer_at_another_issuers_address
9 an answer in another issuer's name
    hosting/remote_accounts/test_answers.py test_an_answer_in_the_name_of_another_issuer_gets_no_code_sent_anywhere
10 a stolen refresh token
    oauth/test_flow_end.py test_replayed_refresh_token_ends_the_family
11 a stolen dump of the database
    oauth/test_flow.py test_nothing_that_was_issued_is_kept
12 secrets in logs
    oauth/test_threats.py test_no_secret_is_logged
13 a forged token
    oauth/test_machines.py test_forged_assertions_are_refused
14 an assertion replayed
    oauth/test_enterprise.py test_assertion_counts_once
15 an account taken over by an address
    oauth/test_enterprise.py test_address_opens_no_account_by_itself
16 the site made to fetch what is inside
    common/test_outbound.py test_no_list_opens_the_metadata_address
    common/test_outbound.py test_inner_addresses_are_refused
    common/test_outbound.py test_redirect_is_followed_and_checked_again
    common/test_outbound.py test_name_that_changes_its_mind_leads_nowhere_else
    common/test_outbound.py test_answer_that_is_too_large_is_cut_off
    common/test_outbound.py test_packed_answer_is_refused
    common/test_outbound.py test_answer_that_comes_in_drops_ends_in_time
    common/test_outbound.py test_certificate_must_be_the_hosts
    common/test_outbound.py test_proxy_and_credentials_of_the_environment_are_not_used
    oauth/test_documents.py test_private_addresses_are_not_fetched
    oauth/outbound/test_misbehaving.py test_an_issuer_inside_is_not_asked
    runner/remote/test_misbehaving.py test_addresses_that_are_not_connected_to
17 hosted code reaching inside
    runner/egress/test_refusals.py test_address_that_is_not_public_is_refused
    runner/egress/test_refusals.py test_name_of_an_address_that_is_not_public_does_not_resolve
    runner/egress/test_refusals.py test_extra_port_is_for_the_operators_networks_only
    runner/runtimes/test_sandbox.py test_services_of_the_host_can_not_be_reached
18 the site made to fetch without end
    oauth/test_documents.py test_one_person_can_not_have_us_fetch_without_end
19 registrations without end
    oauth/test_registration.py test_flood_is_stopped_and_cleared_away
20 a framed or forged consent
    oauth/test_flow.py test_decision_without_csrf_token_is_refused
24 another's request state
    mcp_endpoint/test_codecs.py test_seals_open_for_what_they_are_bound_to
28 another's session
    mcp_endpoint/test_legacy.py test_session_belongs_to_its_principal
    mcp_endpoint/test_codecs.py test_session_ids
    runner/test_exchanges.py test_sessions_have_instances_of_their_own_and_end_with_them
    runner/test_exchanges.py test_another_owner_can_neither_hear_nor_tell_nor_end_a_session
29 another's events
    mcp_endpoint/test_legacy.py test_others_neither_hear_nor_answer_what_a_session_is_asked
    mcp_endpoint/test_anonymous.py test_a_session_is_reached_by_its_whole_id_only
    runner/test_exchanges.py test_another_owner_can_neither_follow_nor_answer_nor_cancel
30 a server's page on the site's origin
    mcp_endpoint/test_legacy.py test_markup_of_a_server_is_never_a_page
    runner/remote/test_misbehaving.py test_a_web_page_is_no_server
    hosting/remote_accounts/test_answers.py test_markup_of_others_is_text
31 a web page calling servers
    mcp_endpoint/test_access.py test_host_and_origin_of_others_are_refused
32 a WebSocket opened by another site
    hosting/test_live_feed.py test_only_those_who_may_see_it
    config/test_asgi.py test_a_websocket_for_another_host_is_closed_before_it_opens
36 a new tool covered by an old token
    mcp_endpoint/test_tool_policy.py test_hidden_tools_are_refused_as_unknown
    hosting/test_tools.py test_a_new_tool_is_held_even_when_the_first_list_was_empty
37 a hidden command to install
    registry/test_pages.py test_install_shows_the_whole_command_before_any_link
    registry/test_pages.py test_install_hides_nothing_of_a_long_command
    registry/test_pages.py test_install_gives_no_command_that_nobody_would_read
    registry/test_pages.py test_install_links_to_web_addresses_only
38 scripts in names
    oauth/test_threats.py test_names_are_text
39 guessing
    oauth/test_flow_surface.py test_guessing_is_slowed_down
40 deeds in a session that was taken over, or without a trace
    oauth/test_reauthentication.py test_what_opens_doors_asks_for_the_password_again
    events/test_events.py test_database_refuses_to_change_audit_rows
"""
PROOFS = [line.split() for line in THREATS.splitlines() if line.startswith(" ")]


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_threat_has_its_test(file: str, name: str) -> None:
    tree = ast.parse((HERE / file).read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions


@pytest.mark.parametrize("extra", [{"prompt": "none"}, {"approval_prompt": "auto"}, {}])
def test_another_client_rides_on_no_consent(flow: Flow, extra: dict[str, str]) -> None:
    """Threat 1: neither another client nor the same one a second time goes past the page."""
    flow.connect()
    for client_id in (make_client("Other").client_id, flow.client_id):
        flow.client_id, flow.extra = client_id, extra
        page = flow.ask()
        assert page.status_code == 200 and 'name="decision"' in page.content.decode()
    assert Consent.objects.count() == 1


def test_local_program_is_never_silent(flow: Flow) -> None:
    """Threat 8."""
    for _ in range(2):
        page = flow.ask().content.decode()
        assert "Anything on this computer could claim to be Robo" in page
        assert "127.0.0.1" in page
        flow.connect()


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, record.getMessage()))


@pytest.fixture
def heard() -> Iterator[Heard]:
    """All that is logged, at the most talkative level that the settings allow, whatever other tests left behind."""
    handler, disabled = Heard(), logging.root.manager.disable
    talking = {logging.getLogger(name): logging.DEBUG for name in (None, "django_structlog", "django", "oauth")}
    before = {logger: logger.level for logger in talking}
    logging.disable(logging.NOTSET)
    for logger, level in talking.items():
        logger.setLevel(level)
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)
    for logger, level in before.items():
        logger.setLevel(level)
    logging.disable(disabled)


def test_no_secret_is_logged(flow: Flow, heard: Heard) -> None:
    """Threat 12."""
    code = flow.code()
    first = flow.redeem(code)[1]
    second = flow.refresh(first["refresh_token"])[1]
    flow.refresh(first["refresh_token"])  # a replay, which is worth a line
    Client().get("/account/apps", headers={"Authorization": f"Bearer {second['access_token']}"})
    assert [line for _, line in heard.lines if "POST /oauth/token" in line]
    issued = [code, *(answer[name] for answer in (first, second) for name in ("access_token", "refresh_token"))]
    assert {logger for logger, line in heard.lines for secret in issued if secret in line} == set()


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "<svg/onload=alert(1)>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_are_text(flow: Flow, payload: str) -> None:
    """Threat 38: of programs and organizations, on every page that says them."""
    Application.objects.update(name=payload)
    organization = organization_create(actor=OPERATOR, name="acme", owner=flow.user, title=payload)
    Membership.objects.filter(organization=organization).update(role="owner")
    asked = flow.ask()
    flow.connect()
    Consent.objects.update(organization_id=organization.pk)
    client = signed_in(flow.user)
    pages = [
        client.get(path)
        for path in ("/account/apps", "/organizations/", "/organizations/acme/", "/organizations/acme/apps",
                     "/organizations/acme/audit")
    ]  # fmt: skip
    for page in (asked, *pages):
        assert isinstance(page, HttpResponse)
        text = page.content.decode()
        assert page.status_code == 200 and payload not in text
        assert "alert(1)" not in text or "&lt;" in text or "&#x27;" in text
        assert "script-src 'nonce-" in page["Content-Security-Policy"]


def test_what_was_done_about_programs_has_its_rows(flow: Flow) -> None:
    """Threat 40: with who did it."""
    flow.connect()
    eve = make_user("eve")
    consent_revoke(actor=OPERATOR, consent_id=Consent.objects.get().pk)
    rows = dict(AuditEntry.objects.filter(action__startswith="consent:").values_list("action", "actor"))
    assert rows == {"consent:grant": f"user:{flow.user.pk}", "consent:revoke": "operator"}
    assert not AuditEntry.objects.filter(actor=f"user:{eve.pk}").exists()
    assert not RefreshToken.objects.filter(revoked=None).exists()
    flow.redirect_uri = CALLBACK
    assert answered(flow.decide("deny"))["error"] == "access_denied"
