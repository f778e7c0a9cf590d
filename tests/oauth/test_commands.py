"""What operators do at a shell: clients and identity providers."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.services import organization_create
from events.actors import OPERATOR
from hosting.models import Deployment
from oauth.models import Application, EnterpriseIdentity, TrustedIdp
from tests.factories import make_user
from tests.oauth.flow import CALLBACK
from tests.oauth.signers import Signer

pytestmark = pytest.mark.django_db


def run(*words: str) -> list[str]:
    said = io.StringIO()
    call_command(*words, stdout=said, stderr=io.StringIO())
    return said.getvalue().split("\n")[:-1]


def test_client_of_people() -> None:
    (client_id,) = run("oauth_client", "add", "--name", "Robo", "--redirect-uri", CALLBACK)
    client = Application.objects.get(client_id=client_id)
    assert (client.name, client.profile.method) == ("Robo", "none")
    assert run("oauth_client", "list") == [f"{client_id}\tRobo\tmanual\tnone"]
    run("oauth_client", "block", client_id)
    assert "blocked" in run("oauth_client", "list")[0]
    run("oauth_client", "unblock", client_id)
    run("oauth_client", "delete", client_id)
    assert run("oauth_client", "list") == []


def test_service_clients(deployment: Deployment, tmp_path: Path) -> None:
    client_id, secret = run("oauth_client", "add", "--name", "x", "--service-of", "alice", "--scope", "mcp:read")
    client = Application.objects.get(client_id=client_id)
    assert (client.user, client.profile.scopes) == (deployment.owner.user, "mcp:read")
    assert len(secret) > 40
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(Signer().jwks))
    words = ("--name", "y", "--enterprise", "--method", "private_key_jwt", "--jwks", str(keys))
    assert len(run("oauth_client", "add", *words)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["add", "--name", "x"],
        ["add", "--name", "x", "--service-of", "nobody"],
        ["add", "--name", "x", "--redirect-uri", "http://evil.example/cb"],
        ["add", "--name", "x", "--redirect-uri", CALLBACK, "--id", "https://evil.example/c"],
        ["add", "--name", "x", "--redirect-uri", CALLBACK, "--scope", "made:up"],
        ["block", "nobody"],
        ["delete", "nobody"],
    ],
)
def test_what_can_not_be_is_said(words: list[str]) -> None:
    with pytest.raises(CommandError):
        run("oauth_client", *words)
    assert not Application.objects.exists()


def test_identity_providers() -> None:
    ann = make_user("ann")
    organization_create(actor=OPERATOR, name="acme", owner=make_user("boss"))
    words = ["trust_idp", "--organization", "acme", "--issuer", "https://idp.example"]
    run(*words, "--jwks-uri", "https://idp.example/keys", "--link", "ann-1=ann", "--email-domain", "Acme.example")
    idp = TrustedIdp.objects.get()
    assert (idp.email_domains, idp.scopes, idp.creates_users) == (["acme.example"], "mcp:read mcp:call", False)
    assert EnterpriseIdentity.objects.get().user == ann
    run(*words, "--remove")
    assert not TrustedIdp.objects.get().is_enabled
    for wrong in (
        [*words],
        [*words, "--jwks-uri", "http://idp.example"],
        [*words, "--jwks-uri", "https://a", "--link", "x"],
        ["trust_idp", "--organization", "ann", "--issuer", "x", "--jwks-uri", "https://a"],
    ):
        with pytest.raises(CommandError):
            run(*wrong)
