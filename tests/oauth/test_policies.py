"""An organization's rules about programs, and the accounts of its own programs."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership, Organization, User
from accounts.organizations import service_account_create, service_account_retire
from accounts.services import organization_create
from common.errors import AppError, NotFound
from events.actors import OPERATOR
from hosting.access.permissions import may_see
from hosting.models import Deployment
from oauth import policies
from oauth.api_tokens import api_token_find, api_token_issue
from oauth.models import ApiToken, Application, ClientProfile, Consent
from oauth.resources import Resource
from oauth.service_accounts import service_client_create, service_client_delete, service_token_revoke
from tests.accounts.test_organizations import member, signed_in
from tests.factories import actor_of, make_deployment, make_user
from tests.oauth.flow import Flow, answered, make_client, resource_of, revoked, token, verify

pytestmark = pytest.mark.django_db
Rules = dict[str, Any]


@pytest.fixture
def acme(db: None) -> Organization:
    return organization_create(actor=OPERATOR, name="Acme", owner=make_user("boss"))


@pytest.fixture
def server(acme: Organization) -> Deployment:
    made = make_deployment(make_user("alice"))
    Deployment.objects.filter(pk=made.pk).update(owner=acme.name)
    return Deployment.objects.select_related("owner").get(pk=made.pk)


@pytest.fixture
def flow(acme: Organization, server: Deployment) -> Flow:
    return Flow(member(acme, "ann", "member"), make_client().client_id, resource_of(server))


def rule(acme: Organization, **rules: Any) -> None:
    policies.policy_set(actor=actor_of(User.objects.get(username="boss")), organization=acme, **rules)


def self_registered() -> Application:
    made = make_client("Stray")
    Application.objects.filter(pk=made.pk).update(registration_source="dcr")
    return made


REFUSING: list[Rules] = [
    {"clients": ["https://good.example/client.json"]},
    {"servers": ["another"]},
    {"scopes": ["mcp:admin"]},
]


@pytest.mark.parametrize("rules", REFUSING)
def test_refused_program_is_not_asked_about(acme: Organization, flow: Flow, rules: Rules) -> None:
    rule(acme, **rules)
    said = answered(flow.ask())
    assert said["error"] == ("invalid_scope" if "scopes" in rules else "access_denied")
    assert not Consent.objects.exists()


@pytest.mark.parametrize("rules", REFUSING)
def test_rule_ends_what_is_connected(acme: Organization, flow: Flow, rules: Rules) -> None:
    tokens = flow.connect()
    assert not revoked(tokens["access_token"], flow.resource)
    rule(acme, **rules)
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "rules",
    [{"clients": ["me"]}, {"servers": ["TIME"]}, {"scopes": ["mcp:read", "mcp:call"]}, {"is_verified_only": True}],
)
def test_what_the_rules_let_in_stays(acme: Organization, flow: Flow, rules: Rules) -> None:
    tokens = flow.connect()
    if "clients" in rules:
        rules = {"clients": [flow.client_id]}
    rule(acme, **rules)
    assert not revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[0] == 200
    assert flow.ask().status_code == 200


def test_scopes_are_narrowed(acme: Organization, flow: Flow) -> None:
    rule(acme, scopes=["mcp:read"])
    assert "mcp:call" not in flow.ask().content.decode()
    assert verify(flow.connect()["access_token"], flow.resource).scope == {"mcp:read"}


def test_self_registered_programs_may_be_kept_out(acme: Organization, flow: Flow) -> None:
    flow.client_id = self_registered().client_id
    tokens = flow.connect()
    rule(acme, is_verified_only=True)
    assert revoked(tokens["access_token"], flow.resource)
    assert answered(flow.ask())["error"] == "access_denied"


def test_hosts_of_documents_are_listed(acme: Organization, flow: Flow) -> None:
    client = make_client()
    for client_id, is_let_in in (("https://good.example/a.json", True), ("https://good.example.evil.example/a", False)):
        Application.objects.filter(pk=client.pk).update(client_id=client_id)
        rule(acme, clients=["good.example"])
        resource = Resource(flow.resource, acme.pk, "Acme", "time", acme.pk)
        assert (policies.refusal_of(Application.objects.get(pk=client.pk), resource) == "") is is_let_in


def test_other_organizations_are_not_touched(acme: Organization, flow: Flow) -> None:
    rule(acme, clients=["nothing"])
    mine = make_deployment(flow.user, "mine")
    flow.resource = resource_of(mine)
    assert flow.connect()


def test_only_administrators_make_rules(acme: Organization, flow: Flow) -> None:
    flow.connect()
    consent = Consent.objects.get()
    for user in (flow.user, make_user("eve")):
        actor = actor_of(user)
        for do in (
            lambda actor=actor: policies.policy_set(actor=actor, organization=acme),
            lambda actor=actor: policies.client_refuse(actor=actor, organization=acme, client_id=flow.client_id),
            lambda actor=actor: policies.organization_consent_revoke(
                actor=actor, organization=acme, consent_id=consent.pk
            ),
        ):
            with pytest.raises(AppError):
                do()
    assert Consent.objects.get().revoked_at is None


def test_administrator_disconnects_and_blocks(acme: Organization, flow: Flow) -> None:
    boss = signed_in(User.objects.get(username="boss"))
    tokens = flow.connect()
    page = boss.get("/organizations/acme/apps").content.decode()
    assert "Robo" in page and "ann" in page
    boss.post("/organizations/acme/apps", {"action": "revoke", "consent": str(Consent.objects.get().pk)})
    assert revoked(tokens["access_token"], flow.resource)
    tokens = flow.connect()
    boss.post("/organizations/acme/apps", {"action": "block", "client": flow.client_id})
    assert revoked(tokens["access_token"], flow.resource)
    assert answered(flow.ask())["error"] == "access_denied"
    boss.post("/organizations/acme/apps", {"action": "unblock", "client": flow.client_id})
    assert flow.ask().status_code == 200
    for wrong in ({"action": "revoke", "consent": "x"}, {"action": "revoke", "consent": str(flow.user.pk)}):
        assert boss.post("/organizations/acme/apps", wrong).status_code in (302, 404)


def test_administrator_ends_nothing_elsewhere(acme: Organization, flow: Flow) -> None:
    flow.resource = resource_of(make_deployment(flow.user, "mine"))
    flow.connect()
    boss = actor_of(User.objects.get(username="boss"))
    with pytest.raises(NotFound):
        policies.organization_consent_revoke(actor=boss, organization=acme, consent_id=Consent.objects.get().pk)


def test_rules_page(acme: Organization, flow: Flow) -> None:
    boss = signed_in(User.objects.get(username="boss"))
    sent = {"action": "rules", "clients": "a\nb", "servers": "time", "scopes": ["mcp:read"], "is_verified_only": "on"}
    assert boss.post("/organizations/acme/rules", sent).status_code == 302
    policy = acme.client_policy
    assert (policy.clients, policy.servers, policy.scopes) == (["a", "b"], ["time"], "mcp:read")
    assert "mcp" not in boss.get("/organizations/acme/rules").context["form"].errors
    for wrong in ({"scopes": ["made:up"]}, {"clients": "x" * 300}, {"clients": "x\n" * 300 + "y" * 256}):
        assert boss.post("/organizations/acme/rules", {**sent, **wrong}).status_code == 400


def test_viewers_get_no_token(acme: Organization, server: Deployment, flow: Flow) -> None:
    tokens = flow.connect()
    Membership.objects.filter(user=flow.user).update(role="viewer")
    assert may_see(actor_of(flow.user), server)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"
    assert answered(flow.ask())["error"] == "invalid_target"


# --- the organization's own programs


@pytest.fixture
def robot(acme: Organization) -> User:
    boss = User.objects.get(username="boss")
    return service_account_create(actor=actor_of(boss), organization=acme, name="nightly", role="member")


def ask(client_id: str, secret: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    program = Client(headers={"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()})
    return token(program, {"grant_type": "client_credentials", **sent})


@pytest.fixture
def credentials(acme: Organization, robot: User) -> tuple[str, str]:
    boss = actor_of(User.objects.get(username="boss"))
    client, secret = service_client_create(actor=boss, organization=acme, user=robot, scopes=("mcp:read", "mcp:call"))
    return client.client_id, secret


def test_program_of_the_organization_calls(
    credentials: tuple[str, str], flow: Flow, acme: Organization, robot: User
) -> None:
    status, answer = ask(*credentials, resource=flow.resource)
    assert status == 200, answer
    assert verify(answer["access_token"], flow.resource).sub == str(robot.pk)
    rule(acme, scopes=["mcp:read"])
    assert revoked(answer["access_token"], flow.resource)
    assert ask(*credentials, resource=flow.resource)[1]["error"] == "invalid_scope"
    assert ask(*credentials, resource=flow.resource, scope="mcp:read")[0] == 200
    rule(acme, clients=["nobody"])
    assert ask(*credentials, resource=flow.resource)[1]["error"] == "access_denied"


@pytest.mark.parametrize("how", ["retire", "delete"])
def test_program_that_goes_is_refused_at_once(
    how: str, credentials: tuple[str, str], flow: Flow, acme: Organization, robot: User
) -> None:
    answer = ask(*credentials, resource=flow.resource)[1]
    boss = actor_of(User.objects.get(username="boss"))
    _, api = api_token_issue(actor=boss, user=robot, scopes=["deployments:read"], ttl_seconds=60)
    if how == "retire":
        service_account_retire(actor=boss, organization=acme, user=robot)
        assert api_token_find(api) is None
    else:
        service_client_delete(actor=boss, organization=acme, client_id=credentials[0])
    assert revoked(answer["access_token"], flow.resource)
    assert ask(*credentials, resource=flow.resource)[0] in (400, 401)


def test_others_make_no_credentials_for_it(acme: Organization, robot: User, flow: Flow) -> None:
    for user in (flow.user, make_user("eve")):
        with pytest.raises(AppError):
            api_token_issue(actor=actor_of(user), user=robot, scopes=["deployments:read"], ttl_seconds=60)
        with pytest.raises(AppError):
            service_client_create(actor=actor_of(user), organization=acme, user=robot, scopes=())
    other = organization_create(actor=OPERATOR, name="Other", owner=User.objects.get(username="eve"))
    with pytest.raises(NotFound):
        service_client_create(
            actor=actor_of(User.objects.get(username="eve")), organization=other, user=robot, scopes=()
        )
    with pytest.raises(AppError):  # a person is no program, also for the administrator
        service_client_create(
            actor=actor_of(User.objects.get(username="boss")), organization=acme, user=flow.user, scopes=()
        )
    assert not ApiToken.objects.exists()


def test_programs_page(acme: Organization, robot: User) -> None:
    boss = signed_in(User.objects.get(username="boss"))
    path = "/organizations/acme/programs"
    assert boss.post(path, {"action": "account", "name": "deploy", "role": "publisher"}).status_code == 302
    assert User.objects.get(username="Acme-deploy").service_of == acme
    page = boss.post(path, {"action": "client", "account": robot.username, "scopes": ["mcp:read"]}).content.decode()
    profile = ClientProfile.objects.get()
    assert profile.application.client_id in page and profile.scopes == "mcp:read"
    sent = {"action": "token", "account": robot.username, "scopes": ["deployments:read"], "ttl": 86400}
    assert "slipway_api_" in boss.post(path, sent).content.decode()
    for wrong in (
        {"action": "client", "account": "boss", "scopes": ["mcp:read"]},
        {"action": "account", "name": "../x", "role": "member"},
        {"action": "account", "name": "x", "role": "owner"},
        {**sent, "account": "boss"},
    ):
        assert boss.post(path, wrong).status_code == 400
    boss.post(path, {"action": "revoke_token", "token": str(ApiToken.objects.get().pk)})
    assert ApiToken.objects.get().revoked_at is not None
    boss.post(path, {"action": "delete_client", "client": profile.application.client_id})
    assert not Application.objects.exists()
    boss.post(path, {"action": "retire", "account": robot.username})
    robot.refresh_from_db()
    assert not robot.is_active


def test_own_tokens_are_not_an_administrators_to_revoke(acme: Organization, flow: Flow) -> None:
    row, _ = api_token_issue(actor=actor_of(flow.user), user=flow.user, scopes=["deployments:read"], ttl_seconds=60)
    boss = actor_of(User.objects.get(username="boss"))
    with pytest.raises(NotFound):
        service_token_revoke(actor=boss, organization=acme, token_id=row.pk)
