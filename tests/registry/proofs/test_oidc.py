"""ID tokens: of GitHub's Actions, and of issuers that the operator trusts."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from joserfc.jwk import OctKey, RSAKey

from events.actors import OPERATOR
from registry.proofs import issuers, publishers
from registry.proofs.namespaces import namespace_block
from tests.registry.fakes.issuer import FakeIssuer, elliptic
from tests.registry.fakes.peers import Peers
from tests.registry.proofs.asking import cause, exchange, permissions, publish
from tests.registry.site import Site


@pytest.fixture
def audience(settings: Any) -> str:
    url: str = settings.SLIPWAY_URL
    return url


def job(actions: FakeIssuer, audience: str, **more: Any) -> str:
    """The token of a workflow at GitHub."""
    claims = {"repository_owner": "acme", "repository_owner_id": "77", "repository": "acme/weather", **more}
    return actions.token(audience, **claims)


def trust(issuer: FakeIssuer, **more: Any) -> None:
    wanted = {"label": "ci", "resources": ["com.acme/*"], "claims": {"project": "acme/weather"}, **more}
    publishers.publisher_trust(actor=OPERATOR, issuer=issuer.url, **wanted)


# --- GitHub's Actions


def test_workflow_may_publish_for_its_owner(site: Site, actions: FakeIssuer, audience: str) -> None:
    answer = exchange(site, "github-oidc", oidc_token=job(actions, audience))
    assert permissions(answer) == ["publish io.github.acme/*"]
    assert publish(site, answer.json()["registry_token"], "io.github.acme/weather").status_code == 200
    assert publish(site, answer.json()["registry_token"], "io.github.acme-evil/weather").status_code == 403


@pytest.mark.parametrize("other", ["https://registry.modelcontextprotocol.io", "mcp-registry", "", ["x", "y"]])
def test_token_for_another_registry_is_refused(
    site: Site, actions: FakeIssuer, audience: str, other: str | list[str]
) -> None:
    """Threat 34, audience swap: what a job gave to another registry can't be carried here."""
    assert "another audience" in cause(exchange(site, "github-oidc", oidc_token=actions.token(other)))


def test_old_audience_is_taken_where_the_operator_wants_it(site: Site, actions: FakeIssuer, settings: Any) -> None:
    settings.REGISTRY_GITHUB_OLD_AUDIENCE = True
    token = job(actions, "mcp-registry")
    assert permissions(exchange(site, "github-oidc", oidc_token=token)) == ["publish io.github.acme/*"]


@pytest.mark.parametrize(
    "claims",
    [
        {"repository_owner": None}, {"repository_owner": ""}, {"repository_owner": "a/b"}, {"repository_owner": "*"},
        {"repository_owner": ["acme"]}, {"repository_owner_id": ""}, {"repository_owner_id": "x"},
    ],
)  # fmt: skip
def test_owner_must_be_said(site: Site, actions: FakeIssuer, audience: str, claims: dict[str, Any]) -> None:
    cause(exchange(site, "github-oidc", oidc_token=job(actions, audience, **claims)))


def test_owner_whose_name_was_another_s_is_refused(site: Site, actions: FakeIssuer, audience: str) -> None:
    """Threat 34: by number, not by name."""
    assert exchange(site, "github-oidc", oidc_token=job(actions, audience)).status_code == 200
    token = job(actions, audience, repository_owner="Acme", repository_owner_id="78")
    assert "another GitHub account" in cause(exchange(site, "github-oidc", oidc_token=token))


def test_expired_token_and_one_of_the_future_are_refused(site: Site, actions: FakeIssuer, audience: str) -> None:
    expired = job(actions, audience, exp=1_700_000_000)
    assert "expired" in cause(exchange(site, "github-oidc", oidc_token=expired))
    for name in ("nbf", "iat"):
        early = job(actions, audience, **{name: 4_000_000_000})
        assert "not valid yet" in cause(exchange(site, "github-oidc", oidc_token=early))
    endless = job(actions, audience, exp=None)
    assert "no exp" in cause(exchange(site, "github-oidc", oidc_token=endless))


def test_token_of_another_issuer_under_github_s_name_is_refused(
    site: Site, actions: FakeIssuer, issuer: FakeIssuer, audience: str
) -> None:
    """Threat 34: whose keys count is decided by the issuer's address, and who signs in its name has others."""
    trust(issuer)
    forged = issuer.token(audience, iss=actions.url, repository_owner="acme", repository_owner_id="77")
    assert "does not publish" in cause(exchange(site, "github-oidc", oidc_token=forged))
    same_id = RSAKey.generate_key(2048, {"kid": str(actions.key.kid)})
    forged = actions.token(audience, key=same_id, repository_owner="acme", repository_owner_id="77")
    assert "signature" in cause(exchange(site, "github-oidc", oidc_token=forged))


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "HS512"])
@pytest.mark.parametrize("secret", ["pem", "jwk", "empty"])
def test_token_that_nobody_signed_is_refused(
    site: Site, actions: FakeIssuer, audience: str, algorithm: str, secret: str
) -> None:
    """Threat 34: alg none, and HMAC with the issuer's public key."""
    body = job(actions, audience).split(".")[1]
    header = encoded({"alg": algorithm, "typ": "JWT", "kid": actions.key.kid})
    text = f"{header}.{body}"
    key = {
        "pem": actions.key.as_pem(private=False),
        "jwk": json.dumps(actions.published[0]).encode(),
        "empty": b"",
    }[secret]
    mac = base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).rstrip(b"=").decode()
    forged = f"{text}." if algorithm.lower() == "none" else f"{text}.{mac}"
    assert "algorithm" in cause(exchange(site, "github-oidc", oidc_token=forged))


def test_secret_in_the_issuer_s_keys_is_no_key(site: Site, actions: FakeIssuer, audience: str) -> None:
    """An HMAC key that somebody published by mistake signs nothing."""
    secret = OctKey.generate_key(256)
    actions.published.append({**secret.as_dict(private=True), "kid": "oct", "use": "sig"})
    text = f"{encoded({'alg': 'HS256', 'kid': 'oct'})}.{job(actions, audience).split('.')[1]}"
    mac = hmac.digest(secret.get_op_key("sign"), text.encode(), "sha256")
    forged = f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert "algorithm" in cause(exchange(site, "github-oidc", oidc_token=forged))


@pytest.mark.parametrize("more", [{"jku": "https://mallory.test/keys"}, {"jwk": {}}, {"x5u": "https://mallory.test/"}])
def test_keys_that_a_token_brings_along_do_not_count(
    site: Site, actions: FakeIssuer, peers: Peers, audience: str, more: dict[str, Any]
) -> None:
    theirs = elliptic()
    brought = {**more, **({"jwk": theirs.as_dict(private=False)} if "jwk" in more else {})}
    from joserfc import jws

    body = base64.urlsafe_b64decode(job(actions, audience).split(".")[1] + "==")
    header = {"alg": "ES256", "kid": theirs.kid, **brought}
    forged = jws.serialize_compact(header, body, theirs, algorithms=["ES256"])
    assert "does not publish" in cause(exchange(site, "github-oidc", oidc_token=forged))
    assert ("mallory.test", "A") not in peers.dns.asked


def test_new_keys_of_the_issuer_are_learned(
    site: Site, actions: FakeIssuer, audience: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exchange(site, "github-oidc", oidc_token=job(actions, audience)).status_code == 200
    actions.rotate()
    assert "does not publish" in cause(exchange(site, "github-oidc", oidc_token=job(actions, audience)))
    monkeypatch.setattr(issuers, "LEAST_SECONDS", 0.0)
    assert exchange(site, "github-oidc", oidc_token=job(actions, audience)).status_code == 200


# --- trusted publishers


def test_trusted_publisher_may_what_it_was_given(site: Site, issuer: FakeIssuer, audience: str) -> None:
    trust(issuer)
    answer = exchange(site, "oidc", oidc_token=issuer.token(audience, project="acme/weather"))
    assert permissions(answer) == ["publish com.acme/*"]
    assert publish(site, answer.json()["registry_token"], "com.acme/weather").status_code == 200
    assert publish(site, answer.json()["registry_token"], "com.acme.team/weather").status_code == 403


def test_official_command_brings_its_token_to_github_s_path(site: Site, issuer: FakeIssuer, audience: str) -> None:
    trust(issuer)
    token = issuer.token(audience, project="acme/weather")
    assert permissions(exchange(site, "github-oidc", oidc_token=token)) == ["publish com.acme/*"]


def test_workflows_can_be_given_other_names(site: Site, actions: FakeIssuer, audience: str) -> None:
    trust(actions, claims={"repository": ["acme/weather", "acme/maps"]})
    assert permissions(exchange(site, "oidc", oidc_token=job(actions, audience))) == ["publish com.acme/*"]


def test_all_that_fit_count_together(site: Site, issuer: FakeIssuer, audience: str) -> None:
    trust(issuer)
    trust(issuer, label="admin", claims={"role": "admin"}, resources=["*"], action="edit")
    token = issuer.token(audience, project="acme/weather")
    assert permissions(exchange(site, "oidc", oidc_token=token)) == ["publish com.acme/*"]
    token = issuer.token(audience, project="acme/weather", role="admin")
    assert sorted(permissions(exchange(site, "oidc", oidc_token=token))) == ["edit *", "publish com.acme/*"]


@pytest.mark.parametrize(
    "claims", [{}, {"project": "acme/Weather"}, {"project": ["acme/weather"]}, {"project": True}, {"project": None}]
)
def test_claims_must_be_there_exactly(site: Site, issuer: FakeIssuer, audience: str, claims: dict[str, Any]) -> None:
    trust(issuer)
    assert "lacks the claims" in cause(exchange(site, "oidc", oidc_token=issuer.token(audience, **claims)))


def test_number_is_no_truth() -> None:
    assert publishers.fits({"a": True}, {"a": True}) and publishers.fits({"a": 1}, {"a": [2, 1]})
    assert not publishers.fits({"a": 1}, {"a": True}) and not publishers.fits({"a": "1"}, {"a": 1})


def test_own_audience_of_a_publisher_counts_for_it_alone(site: Site, issuer: FakeIssuer, audience: str) -> None:
    trust(issuer, audience="slipway-ci")
    trust(issuer, label="other", resources=["com.other/*"])
    token = issuer.token("slipway-ci", project="acme/weather")
    assert permissions(exchange(site, "oidc", oidc_token=token)) == ["publish com.acme/*"]
    token = issuer.token(audience, project="acme/weather")
    assert permissions(exchange(site, "oidc", oidc_token=token)) == ["publish com.other/*"]
    assert "another audience" in cause(exchange(site, "oidc", oidc_token=issuer.token("x", project="acme/weather")))


def test_without_trusted_publishers_there_is_no_such_operation(site: Site, issuer: FakeIssuer, audience: str) -> None:
    assert exchange(site, "oidc", oidc_token=issuer.token(audience)).status_code == 404


def test_issuer_that_nobody_trusts_is_not_asked(site: Site, issuer: FakeIssuer, peers: Peers, audience: str) -> None:
    """Threat 34, SSRF: a token's issuer is whatever who made it wrote."""
    trust(issuer)
    for theirs in ("https://mallory.test", "https://169.254.169.254", f"{issuer.url}/", issuer.url.upper()):
        forged = issuer.token(audience, iss=theirs, project="acme/weather")
        assert "not trusted" in cause(exchange(site, "oidc", oidc_token=forged))
    assert not peers.dns.asked


def test_issuer_must_call_itself_so(site: Site, issuer: FakeIssuer, audience: str) -> None:
    trust(issuer)
    issuer.says = "https://other.example"
    assert "calls itself" in cause(exchange(site, "oidc", oidc_token=issuer.token(audience, project="acme/weather")))


def test_issuer_that_is_away_is_named(site: Site, issuer: FakeIssuer, audience: str, settings: Any) -> None:
    trust(issuer)
    settings.SLIPWAY_EGRESS_PRIVATE = []
    words = cause(exchange(site, "oidc", oidc_token=issuer.token(audience, project="acme/weather")))
    assert issuer.url in words and "loopback" in words


def test_blocked_namespace_is_refused(site: Site, issuer: FakeIssuer, audience: str) -> None:
    trust(issuer)
    namespace_block(actor=OPERATOR, namespace="com.acme")
    token = issuer.token(audience, project="acme/weather")
    assert "blocked" in cause(exchange(site, "oidc", oidc_token=token))
    trust(issuer, label="admin", claims={"role": "admin"}, resources=["*"], action="edit")
    token = issuer.token(audience, role="admin")
    assert permissions(exchange(site, "oidc", oidc_token=token)) == ["edit *"]


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "..", "e30.e30.e30", "W10.W10.W10", "é.é.é", "x" * 16_384])
@pytest.mark.parametrize("proof", ["oidc", "github-oidc"])
def test_what_is_no_token_is_refused(site: Site, issuer: FakeIssuer, proof: str, token: str) -> None:
    trust(issuer)
    cause(exchange(site, proof, oidc_token=token))


def test_operator_trusts_lists_and_distrusts(
    site: Site, issuer: FakeIssuer, audience: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(
        "trust_publisher", "gitlab", "--issuer", issuer.url, "--claim", "project=acme/weather", "--claim", "n=1",
        "--claim", "n=2", "--allow", "com.acme/*",
    )  # fmt: skip
    call_command("trust_publisher")
    assert f'gitlab: {issuer.url} {{"n": [1, 2], "project": "acme/weather"}} may publish' in capsys.readouterr().out
    token = issuer.token(audience, project="acme/weather", n=2)
    assert permissions(exchange(site, "oidc", oidc_token=token)) == ["publish com.acme/*"]
    call_command("trust_publisher", "gitlab", "--remove")
    assert exchange(site, "oidc", oidc_token=token).status_code == 404


@pytest.mark.parametrize(
    "words",
    [
        ["x", "--issuer", "http://ci.test", "--claim", "a=b", "--allow", "com.acme/*"],
        ["x", "--issuer", "https://ci.test", "--allow", "com.acme/*"],
        ["x", "--issuer", "https://ci.test", "--claim", "a", "--allow", "com.acme/*"],
        ["x", "--issuer", "https://ci.test", "--claim", "a=b"],
        ["x", "--issuer", "https://ci.test", "--claim", "a=b", "--allow", "com.acme"],
        ["x", "--issuer", "https://ci.test", "--claim", "a=b", "--allow", "com.*.acme/*"],
        ["x", "--remove"],
    ],
)
def test_operator_is_told_what_is_wrong(site: Site, words: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("trust_publisher", *words)
