"""mcp-publisher against the registry: every way to log in, publishing, what is wrong, and statuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from events.actors import OPERATOR
from oauth.api_tokens import api_token_issue
from registry.models import Server, ServerVersion
from registry.proofs import publishers
from registry.proofs.namespaces import namespace_grant
from tests.registry.fakes.github import CLIENT_ID, FakeGitHub, FakeUser
from tests.registry.fakes.indexes import FakeNpm
from tests.registry.fakes.issuer import FakeIssuer
from tests.registry.fakes.peers import Peers, peers_for
from tests.registry.fakes.proxy import FakeProxy
from tests.registry.fakes.web import Response
from tests.registry.proofs.signing import Ed25519Signer, P384Signer
from tests.registry.publisher.command import FILE, Command, Failed, Requests, Surroundings
from tests.registry.site import Site, document

ANONYMOUS = "io.modelcontextprotocol.anonymous/weather"
Publisher = Command | Requests


@pytest.fixture
def peers(tmp_path: Path, settings: Any) -> Iterator[Peers]:
    with peers_for(tmp_path, settings) as made:
        yield made


@pytest.fixture
def around(site: Site, peers: Peers, tmp_path: Path, settings: Any) -> Surroundings:
    settings.SLIPWAY_URL = site.url
    (tmp_path / "home").mkdir()
    return Surroundings(tmp_path / "home", site.url, peers.authority.path)


@pytest.fixture(params=[Requests, Command] if FILE else [Requests])
def publisher(request: pytest.FixtureRequest, around: Surroundings) -> Publisher:
    made: Publisher = request.param(around)
    return made


@pytest.fixture
def github(around: Surroundings, peers: Peers, settings: Any) -> Iterator[FakeGitHub]:
    made = FakeGitHub()
    settings.REGISTRY_GITHUB_API, _ = peers.serve("api.github.test", made.answer)
    settings.REGISTRY_GITHUB_CLIENT_ID = CLIENT_ID
    around.github, server = peers.serve_here("github.com", made.answer)
    proxy = FakeProxy()
    proxy.leads["github.com:443"] = server.port
    around.proxy = proxy.url
    yield made
    proxy.stop()


@pytest.fixture
def job(around: Surroundings, peers: Peers) -> FakeIssuer:
    """An issuer whose job is this test."""
    made = FakeIssuer()
    made.url, _ = peers.serve("ci.test", made.answer)
    here, _ = peers.serve_here("token.ci.test", made.answer)
    around.token_url, around.token_secret = f"{here}/token?api-version=2.0", "of-the-job"
    made.jobs["of-the-job"] = {"repository_owner": "acme", "repository_owner_id": "77", "project": "acme/weather"}
    return made


def test_story_of_a_server(publisher: Publisher, settings: Any) -> None:
    settings.REGISTRY_ANONYMOUS = True
    publisher.login("none")
    assert "version 1.0.0" in publisher.publish(document(ANONYMOUS))
    assert "version 1.1.0" in publisher.publish(document(ANONYMOUS, "1.1.0"))
    with pytest.raises(Failed, match="duplicate version"):
        publisher.publish(document(ANONYMOUS, "1.1.0"))
    publisher.status("deprecated", ANONYMOUS, "1.0.0", "use 1.1.0")
    row = ServerVersion.objects.get(version="1.0.0")
    assert (row.status, row.status_message) == ("deprecated", "use 1.1.0")
    assert "2 version(s)" in publisher.status("deleted", ANONYMOUS)
    assert set(ServerVersion.objects.values_list("status", flat=True)) == {"deleted"}
    publisher.status("active", ANONYMOUS, "1.1.0")
    assert ServerVersion.objects.get(is_latest=True).version == "1.1.0"
    with pytest.raises(Failed, match="404"):
        publisher.status("active", ANONYMOUS, "9.9.9")


def test_what_is_wrong_is_listed(publisher: Publisher, settings: Any) -> None:
    settings.REGISTRY_ANONYMOUS = True
    publisher.login("none")
    wrong = document(ANONYMOUS, "^1.0.0", websiteUrl="http://weather.example")
    with pytest.raises(Failed) as raised:
        publisher.publish(wrong)
    for words in ("version", "websiteUrl", "[error]"):
        assert words in str(raised.value)
    with pytest.raises(Failed, match="websiteUrl"):
        publisher.validate(wrong)
    assert "valid" in publisher.validate(document(ANONYMOUS))
    assert not Server.objects.exists()


def test_name_of_somebody_else_is_refused_in_words(publisher: Publisher, settings: Any) -> None:
    settings.REGISTRY_ANONYMOUS = True
    publisher.login("none")
    with pytest.raises(Failed, match=r"403.*You have permission to publish: io.modelcontextprotocol.anonymous/\*"):
        publisher.publish(document("io.github.alice/weather"))


def test_anonymous_login_where_there_is_none(publisher: Publisher) -> None:
    with pytest.raises(Failed, match="404"):
        publisher.login("none")


@pytest.mark.parametrize("signer", [Ed25519Signer(), P384Signer()], ids=["ed25519", "ecdsap384"])
def test_dns(publisher: Publisher, peers: Peers, signer: Ed25519Signer | P384Signer) -> None:
    peers.dns.put("tools.test", "TXT", signer.record)
    publisher.login_signed("dns", "tools.test", signer)
    publisher.publish(document("test.tools.weather/server"))
    assert Server.objects.get().verified_by == "dns:tools.test"
    with pytest.raises(Failed, match="No record was found"):
        publisher.login_signed("dns", "other.test", signer)


def test_http(publisher: Publisher, peers: Peers) -> None:
    signer = Ed25519Signer()
    try:
        peers.serve_domain("tools.test", lambda _: Response(200, signer.record.encode()))
    except PermissionError:
        pytest.skip("port 443 of this machine is for root")
    publisher.login_signed("http", "tools.test", signer)
    publisher.publish(document("test.tools/server"))
    assert Server.objects.get().verified_by == "http:tools.test"


def test_github_by_device_flow(publisher: Publisher, github: FakeGitHub) -> None:
    github.at_the_browser = FakeUser("alice", 1, {"acme": "admin"})
    publisher.login("github")
    publisher.publish(document("io.github.alice/weather"))
    publisher.publish(document("io.github.acme/weather"))
    assert {each.verified_by for each in Server.objects.all()} == {"github-at:alice"}


def test_github_by_a_token(publisher: Publisher, github: FakeGitHub) -> None:
    publisher.login("github", "--token", github.token(FakeUser("alice", 1)))
    publisher.publish(document("io.github.alice/weather"))


def test_token_of_this_site(publisher: Publisher, settings: Any) -> None:
    alice = User.objects.create(username=f"u{id(publisher):x}{id(settings):x}")
    namespace_grant(actor=OPERATOR, namespace="com.acme", owner=alice.name)
    scopes = ["registry:publish"]
    publisher.login("github", "--token", api_token_issue(actor=OPERATOR, user=alice, scopes=scopes, ttl_seconds=60)[1])
    publisher.publish(document("com.acme/weather"))
    assert Server.objects.get().verified_by == f"site:{alice.username}"


def test_github_actions(publisher: Publisher, job: FakeIssuer, settings: Any) -> None:
    settings.REGISTRY_GITHUB_ISSUER = job.url
    settings.REGISTRY_GITHUB_OLD_AUDIENCE = isinstance(publisher, Command)  # 1.7 asks for no other
    publisher.login("github-oidc")
    publisher.publish(document("io.github.acme/weather"))
    assert Server.objects.get().verified_by == "github-oidc:acme"


def test_jobs_of_a_trusted_publisher(publisher: Publisher, job: FakeIssuer) -> None:
    publishers.publisher_trust(
        actor=OPERATOR, label="ci", issuer=job.url, claims={"project": "acme/weather"}, resources=["com.acme/*"],
        audience="mcp-registry" if isinstance(publisher, Command) else "",
    )  # fmt: skip
    publisher.login("github-oidc")
    publisher.publish(document("com.acme/weather"))
    assert Server.objects.get().verified_by == "oidc:ci"


def test_package_must_be_the_server_s(publisher: Publisher, peers: Peers, settings: Any) -> None:
    settings.REGISTRY_ANONYMOUS = settings.REGISTRY_CHECK_OWNERSHIP = True
    npm = FakeNpm()
    url, _ = peers.serve("npm.test", npm.answer)
    settings.REGISTRY_PACKAGE_URLS = {**settings.REGISTRY_PACKAGE_URLS, "npm": url}
    npm.put("weather", "1.0.0")
    package = {"registryType": "npm", "identifier": "weather", "version": "1.0.0", "transport": {"type": "stdio"}}
    wanted = document(ANONYMOUS, packages=[package])
    publisher.login("none")
    with pytest.raises(Failed, match=r"400.*packages\[0\]: The npm package weather 1.0.0 has no mcpName"):
        publisher.publish(wanted)
    npm.put("weather", "1.0.0", mcpName=ANONYMOUS)
    publisher.publish(wanted)
