"""How to connect: steps for each client with the server's own address, a token of one's own, and a tool to try."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.template import Context, Engine
from django.test import Client
from django.utils.html import escape
from django.utils.translation import override

from accounts.models import User
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.credentials.personal import given_now
from hosting.models import Deployment, DeploymentVersion
from hosting.states import State
from hosting.templatetags.connecting import client_steps
from oauth.models import EndpointToken
from tests.factories import make_deployment, make_user
from tests.hosting.consent import browser
from vault.services import Holder, secrets_put

pytestmark = pytest.mark.django_db
PATH = "/d/alice/time/"
ODD = 'a"b <i>&#'


@pytest.fixture
def client(alice: User) -> Client:
    return browser(alice)


def hosted(alice: User, tools: list[dict[str, Any]] | None = None) -> Deployment:
    return make_deployment(alice, tools=tools)


def test_a_token_is_made_on_the_spot_and_stands_in_the_steps(client: Client, alice: User) -> None:
    hosted(alice)

    answer = client.post(PATH, {"ttl": "86400"})

    token, page = answer.context["issued"], answer.content.decode()
    assert answer.status_code == 200 and token.count(".") == 2
    assert page.count(token) >= 3  # by itself, for Claude Code, as JSON
    assert f"Bearer {token}" in page
    row = EndpointToken.objects.get()
    assert (row.user, row.resource.endswith("/mcp/alice/time")) == (alice, True)
    assert token not in client.get(PATH).content.decode()


def test_each_servers_steps_have_its_own_name_and_address(alice: User) -> None:
    """What is the same for all is rendered once for a language; what is put into it is what a template would write."""
    templates = Engine.get_default()
    first, second = hosted(alice), make_deployment(make_user("bob"), "weather")
    odd = Deployment(owner=first.owner, name=ODD)
    for language in ("en", "de", "en"):
        with override(language):
            for deployment, url in ((first, "https://a/mcp"), (second, "https://b/mcp"), (odd, f"https://c/{ODD}")):
                context = {"deployment": deployment, "mcp_url": url, "issued": ""}
                told = templates.get_template("hosting/_clients.html").render(Context(context))
                assert client_steps(deployment, url) == told
                assert told.count(escape(url)) > 5 and f"Token for {deployment.owner.display}/" in told


@pytest.mark.parametrize("ttl", ["", "0", "x", "99999999"])
def test_a_bad_time_makes_no_token(client: Client, alice: User, ttl: str) -> None:
    hosted(alice)

    assert client.post(PATH, {"ttl": ttl}).status_code == 400
    assert not EndpointToken.objects.exists()


def test_a_token_is_for_who_asks(client: Client, alice: User) -> None:
    deployment = hosted(alice)
    bob, eve = make_user("bob"), make_user("eve")
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    answers = {}
    for user in (bob, eve):
        visitor = Client()
        visitor.force_login(user)
        answers[user.username] = visitor.post(PATH, {"ttl": "3600"}).status_code

    assert answers == {"bob": 200, "eve": 404}
    assert EndpointToken.objects.get().user == bob
    assert Client().post(PATH, {"ttl": "3600"}).status_code == 302


def test_the_first_tool_without_arguments_is_the_one_to_try(client: Client, alice: User) -> None:
    hosted(alice, [{"name": "convert", "inputSchema": {"required": ["time"]}}, {"name": ODD, "inputSchema": {}}])

    page = client.get(PATH).content.decode()

    assert f"/d/alice/time/playground#tool={quote(ODD, safe='')}" in page
    assert "needs no arguments" in page and ODD not in page


@pytest.mark.parametrize("tools", [None, [], [{"name": 7}]])
def test_nothing_to_try_is_no_button(client: Client, alice: User, tools: Any) -> None:
    hosted(alice, tools)

    assert "Try it here" not in client.get(PATH).content.decode()


@pytest.mark.parametrize(("missing", "is_told"), [("API_KEY", True), ("OTHER", False), ("", False)])
def test_what_each_user_brings_is_no_failure(client: Client, alice: User, missing: str, is_told: bool) -> None:
    """Of a start for nobody: it had no key, and is not to have one."""
    deployment = make_deployment(alice, state=State.FAILED)
    Deployment.objects.filter(pk=deployment.pk).update(personal_inputs=["env:API_KEY"], reason="exited with code 1")
    DeploymentVersion.objects.filter(deployment=deployment).update(missing=missing)

    page, row = (client.get(path).content.decode() for path in (PATH, "/servers/"))

    assert ("Bring your own API_KEY" in page) is is_told
    assert ("This server does not work" in page) is not is_told
    assert ("Exited with code 1" in row) is not is_told


def test_who_has_brought_theirs_is_not_asked_again(client: Client, alice: User) -> None:
    deployment = make_deployment(alice, state=State.FAILED, access="public")
    Deployment.objects.filter(pk=deployment.pk).update(personal_inputs=["env:API_KEY"])
    DeploymentVersion.objects.filter(deployment=deployment).update(missing="API_KEY")
    deployment.refresh_from_db()
    bob, given = make_user("bob"), {"env:API_KEY": "bobs-own-key"}
    secrets_put(
        actor=OPERATOR, holder=Holder.personal(bob.pk, deployment.pk), values=given, given_to=given_now(deployment)
    )

    for who, has_brought in ((alice, False), (bob, True)):
        page = browser(who).get(PATH).content.decode()

        assert ("Bring your own API_KEY" in page) is not has_brought
        assert ("with your API_KEY" in page) is has_brought
