"""`host` and `issue_token`: only the answer on stdout, everything else on stderr, refusals as sentences."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.services import user_rename
from common import clock
from events.actors import OPERATOR
from hosting.credentials.accounts import Chosen, chosen_now
from hosting.models import Deployment, DeploymentVersion
from hosting.routing import OWN_ACCOUNT
from oauth import claims, keys
from oauth.models import EndpointToken
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_put
from tests.factories import make_deployment, make_queued, make_user

pytestmark = pytest.mark.django_db
URL = f"{settings.SLIPWAY_URL}/mcp/alice/time"


def run(*arguments: str, **options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def host(reference: str = "pypi:demo", *more: str, owner: str = "alice", name: str = "time") -> tuple[str, str]:
    return run("host", reference, "--owner", owner, "--name", name, *more)


def issue(*more: str, user: str = "alice", deployment: str = "alice/time") -> tuple[str, str]:
    return run("issue_token", "--user", user, "--deployment", deployment, *more)


def test_host_makes_the_account_and_prints_only_the_url() -> None:
    out, err = host("pypi:demo", "--no-wait")
    assert out == f"{URL}\n"
    assert "Made the account alice" in err
    user = User.objects.get()
    assert not user.has_usable_password()
    assert not user.is_superuser
    assert Deployment.objects.get().access == "private"


def test_host_for_anybody_and_back() -> None:
    for arguments, expected in ((["--anonymous"], True), ([], True), (["--no-anonymous"], False)):
        host("pypi:demo", "--no-wait", *arguments)
        assert Deployment.objects.get().is_anonymous is expected


def test_host_again_is_the_same() -> None:
    host("pypi:demo", "--no-wait")
    out, err = host("pypi:demo", "--no-wait", owner="ALICE", name="TIME")
    assert out == f"{URL}\n"
    assert "Made" not in err
    assert (User.objects.count(), DeploymentVersion.objects.count()) == (1, 1)


def test_host_of_what_is_built_waits_for_nothing() -> None:
    make_deployment(make_user())
    out, err = host()
    assert out == f"{URL}\n"
    assert "built demo 1.0" in err


def test_host_ends_with_the_reason_of_a_failed_build() -> None:
    deployment = make_queued(make_user())
    version = deployment.versions.get()
    DeploymentVersion.objects.update(failure="There is no package “demo”.")
    from hosting.management.commands.host import Command

    with pytest.raises(CommandError, match="could not be built: There is no package “demo”"):
        Command(stderr=io.StringIO())._wait(deployment, version, 1.0)


def test_host_waits_no_longer_than_told() -> None:
    with pytest.raises(CommandError, match="wasn't built within 0.1 seconds"):
        host("pypi:demo", "--timeout", "0.1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"reference": "demo"}, "says first where the server comes from"),
        ({"reference": "pypi:demo>1"}, "without ranges"),
        ({"owner": "admin"}, "reserved"),
        ({"owner": "a b"}, "letters"),
        ({"name": "../etc"}, "A server's name"),
        ({"owner": "released"}, "taken"),
    ],
)
def test_host_refuses_clearly(arguments: dict[str, str], words: str) -> None:
    arguments = dict(arguments)
    user_rename(actor=OPERATOR, user=make_user("released"), name="renamed")
    with pytest.raises(CommandError, match=words):
        host(
            arguments.get("reference", "pypi:demo"),
            "--no-wait",
            **{k: v for k, v in arguments.items() if k != "reference"},
        )
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("reference", ["demo", "pypi:demo>1", "remote:ftp://example.org", "a.py", "source:gone.py"])
def test_a_bad_reference_makes_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("print()")
    with pytest.raises(CommandError) as refused:
        host(reference, "--no-wait")
    assert ("source:a.py" in str(refused.value)) is (reference == "a.py")
    assert not User.objects.exists()


def test_host_says_what_each_user_connects() -> None:
    wanted = Wanted(name="github", kind="github", client_id="Iv1.abc", client_secret="s3cret")
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted)
    host("pypi:demo", "--no-wait", "--personal", "API_KEY", "--account", "GITHUB_TOKEN github repo read:user")
    deployment = Deployment.objects.get()
    assert deployment.personal_inputs == ["env:API_KEY", "env:GITHUB_TOKEN"]
    assert chosen_now(deployment) == {"env:GITHUB_TOKEN": Chosen("github", ("repo", "read:user"))}
    host("pypi:demo", "--no-wait")  # says nothing of them
    for arguments in (["--account", "GITHUB_TOKEN"], ["--account", "X none"], ["--each-signs-in"]):
        with pytest.raises(CommandError):
            host("pypi:demo", "--no-wait", *arguments)
    assert chosen_now(Deployment.objects.get()) == chosen_now(deployment)
    host("pypi:demo", "--no-wait", "--account=")
    assert Deployment.objects.get().personal_inputs == ["env:API_KEY"]


def test_host_says_that_each_signs_in_to_a_remote_server() -> None:
    wanted = Wanted(name="github", kind="github", client_id="Iv1.abc", client_secret="s3cret")
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted)
    url = "remote:https://example.org/mcp"
    for flags, expected in (
        (["--account", "X-Token github", "--each-signs-in"], {"header:X-Token", OWN_ACCOUNT}),
        (["--account="], {OWN_ACCOUNT}),
        (["--account", "X-Token github"], {"header:X-Token", OWN_ACCOUNT}),
        (["--no-each-signs-in"], {"header:X-Token"}),
    ):
        host(url, "--no-wait", *flags)
        assert set(Deployment.objects.get().personal_accounts) == expected


def test_issue_token_prints_only_the_token() -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    out, err = issue("--ttl", "120")
    assert out.count("\n") == 1
    found = claims.verify(
        out.strip(),
        key=keys.load_signing_key(),
        issuer=settings.SLIPWAY_URL,
        audience=URL,
        now=clock.now().timestamp(),
    )
    row = EndpointToken.objects.get()
    assert (found.sub, found.jti, found.exp - found.iat) == (str(alice.pk), row.jti, 120)
    assert (row.deployment_id, row.scopes) == (deployment.pk, "mcp:read mcp:call")
    assert str(row.pk) in err


def test_issued_token_can_be_revoked() -> None:
    make_deployment(make_user())
    issue()
    run("revoke_token", str(EndpointToken.objects.get().pk))
    assert EndpointToken.objects.get().revoked_at
    with pytest.raises(CommandError, match="no such token"):
        run("revoke_token", "01a1fcc1-4f0b-73d9-aeee-f007611e2800")


def test_token_for_anybody_only_where_it_is_public() -> None:
    make_user("bob")
    deployment = make_deployment(make_user())
    with pytest.raises(CommandError, match="neither its owner nor a member"):
        issue(user="bob")
    Deployment.objects.filter(pk=deployment.pk).update(access="public")
    assert issue(user="bob")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"user": "nobody-there"}, "no user named"),
        ({"deployment": "alice/other"}, "no server alice/other"),
        ({"deployment": "alice"}, "OWNER/NAME"),
        ({"deployment": "alice/time/x"}, "OWNER/NAME"),
        ({"ttl": "7776001"}, "90 days"),
        ({"ttl": "0"}, "90 days"),
        ({"scope": "mcp:everything"}, "Unknown scope"),
        ({"scope": ""}, "at least one scope"),
    ],
)
def test_issue_token_refuses_clearly_and_makes_nobody(arguments: dict[str, str], words: str) -> None:
    make_deployment(make_user())
    more = [part for option in ("ttl", "scope") if option in arguments for part in (f"--{option}", arguments[option])]
    named = {key: value for key, value in arguments.items() if key in ("user", "deployment")}
    with pytest.raises(CommandError, match=words):
        issue(*more, **named)
    assert not EndpointToken.objects.exists()
    assert User.objects.count() == 1
