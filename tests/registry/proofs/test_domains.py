"""Keys that a domain publishes, in DNS and on its web page, and signatures made with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from common import clock
from registry.models import UsedSignature
from tests.registry.fakes.peers import Peers
from tests.registry.fakes.web import Request, Response, WebServer
from tests.registry.proofs.asking import cause, exchange, permissions, publish
from tests.registry.proofs.signing import P384_ORDER, Ed25519Signer, P384Signer, stamp, written
from tests.registry.site import Site

DOMAIN = "tools.test"
NAMESPACE = "test.tools"
Signer = Ed25519Signer | P384Signer


@pytest.fixture(params=[Ed25519Signer, P384Signer])
def signer(request: pytest.FixtureRequest) -> Signer:
    made: Signer = request.param()
    return made


def log_in(site: Site, signer: Signer, proof: str = "dns", domain: str = DOMAIN, seconds: float = 0) -> httpx.Response:
    text = stamp(seconds)
    return exchange(site, proof, domain=domain, timestamp=text, signed_timestamp=signer.sign(text))


class FakePage:
    """The page of a domain with its keys; or whatever `answering` says."""

    def __init__(self, *records: str) -> None:
        self.text = "\n".join(records)
        self.answering: Callable[[Request], Response] | None = None

    def answer(self, request: Request) -> Response:
        if self.answering is not None:
            return self.answering(request)
        if request.path != "/.well-known/mcp-registry-auth":
            return Response(404)
        return Response(200, self.text.encode(), {"Content-Type": "text/plain"})


@pytest.fixture
def page(peers: Peers) -> tuple[FakePage, WebServer]:
    made = FakePage()
    try:
        return made, peers.serve_domain(DOMAIN, made.answer)
    except PermissionError:
        pytest.skip("port 443 of this machine is for root")


# --- DNS


def test_domain_may_publish_for_itself_and_below(site: Site, peers: Peers, signer: Signer) -> None:
    peers.dns.put(DOMAIN, "TXT", "v=spf1 -all", signer.record)
    answer = log_in(site, signer)
    assert permissions(answer) == [f"publish {NAMESPACE}/*", f"publish {NAMESPACE}.*"]
    for name in (f"{NAMESPACE}/weather", f"{NAMESPACE}.team/weather"):
        assert publish(site, answer.json()["registry_token"], name).status_code == 200
    assert publish(site, answer.json()["registry_token"], "test.tools-evil/weather").status_code == 403


def test_several_keys_are_tried(site: Site, peers: Peers, signer: Signer) -> None:
    peers.dns.put(DOMAIN, "TXT", Ed25519Signer().record, P384Signer().record, signer.record)
    assert log_in(site, signer).status_code == 200


def test_long_zone_comes_by_tcp(site: Site, peers: Peers, signer: Signer) -> None:
    peers.dns.put(DOMAIN, "TXT", *(f"verification={'x' * 300}{number}" for number in range(9)), signer.record)
    assert log_in(site, signer).status_code == 200


def test_record_of_a_subdomain_does_not_speak_for_the_domain(site: Site, peers: Peers) -> None:
    """Threat 34: who holds a part holds that part."""
    signer = Ed25519Signer()
    peers.dns.put(DOMAIN, "TXT", "v=spf1 -all")
    peers.dns.put(f"mallory.{DOMAIN}", "TXT", signer.record)
    assert "No record was found" in cause(log_in(site, signer))
    assert permissions(log_in(site, signer, domain=f"mallory.{DOMAIN}"))[0] == f"publish {NAMESPACE}.mallory/*"


@pytest.mark.parametrize("selector", ["_mcp-auth", "_mcp-registry"])
def test_record_under_a_selector_is_only_told_about(site: Site, peers: Peers, selector: str) -> None:
    signer = Ed25519Signer()
    peers.dns.put(f"{selector}.{DOMAIN}", "TXT", signer.record)
    assert f"one at {selector}.{DOMAIN}" in cause(log_in(site, signer))


def test_key_of_another_domain_is_refused(site: Site, peers: Peers, signer: Signer) -> None:
    peers.dns.put(DOMAIN, "TXT", Ed25519Signer().record)
    assert "none of the keys" in cause(log_in(site, signer))


def test_zone_that_is_not_there_or_does_not_answer(site: Site, peers: Peers) -> None:
    assert "No record was found" in cause(log_in(site, Ed25519Signer()))
    peers.dns.failing.add(DOMAIN)
    assert "could not be looked up" in cause(log_in(site, Ed25519Signer()))


# --- a web page


def test_page_speaks_for_its_host_alone(
    site: Site, peers: Peers, page: tuple[FakePage, WebServer], signer: Signer
) -> None:
    page[0].text = f"{Ed25519Signer().record}\n{signer.record}\n"
    answer = log_in(site, signer, "http")
    assert permissions(answer) == [f"publish {NAMESPACE}/*"]
    assert publish(site, answer.json()["registry_token"], f"{NAMESPACE}/weather").status_code == 200
    assert publish(site, answer.json()["registry_token"], f"{NAMESPACE}.team/weather").status_code == 403


def test_redirect_is_no_page(site: Site, peers: Peers, page: tuple[FakePage, WebServer]) -> None:
    """Threat 34: an open redirect at a domain must not let anybody speak for it."""
    signer = Ed25519Signer()
    theirs = FakePage(signer.record)
    elsewhere, server = peers.serve("mallory.test", theirs.answer)
    location = f"{elsewhere}/.well-known/mcp-registry-auth"
    page[0].answering = lambda request: Response(302, signer.record.encode(), {"Location": location})
    assert "redirect" in cause(log_in(site, signer, "http"))
    assert not server.seen


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response(404), "status 404"),
        (Response(500), "status 500"),
        (Response(200, b"x" * 5000), "larger than 4096"),
        (Response(200, b"hello"), "No record was found"),
        (Response(200, b"\xff\xfe"), "No record was found"),
    ],
)
def test_page_that_is_none(
    site: Site, peers: Peers, page: tuple[FakePage, WebServer], answer: Response, words: str
) -> None:
    page[0].answering = lambda request: answer
    assert words in cause(log_in(site, Ed25519Signer(), "http"))


def test_page_in_the_private_network_is_not_fetched(
    site: Site, peers: Peers, page: tuple[FakePage, WebServer], settings: Any
) -> None:
    """Threat 34, SSRF: a domain's address is its holder's to write, and this site is not its way inside."""
    settings.SLIPWAY_EGRESS_PRIVATE = []
    assert "loopback address" in cause(log_in(site, Ed25519Signer(), "http"))
    assert not page[1].seen


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "100.100.100.200", "0.0.0.0"])
def test_name_that_leads_inside_is_not_fetched(site: Site, peers: Peers, address: str) -> None:
    """Threat 34, SSRF: not even what the operator opened includes these."""
    peers.dns.put("inside.test", "A", address)
    assert "not fetched" in cause(log_in(site, Ed25519Signer(), "http", "inside.test"))


@pytest.mark.parametrize(
    "domain", ["127.0.0.1", "localhost", "tools.test:8443", "tools.test/x", "x@tools.test", "[::1]", "tools.test#"]
)
@pytest.mark.parametrize("proof", ["dns", "http"])
def test_what_is_no_domain_is_not_looked_up(site: Site, peers: Peers, proof: str, domain: str) -> None:
    assert "domain isn't valid" in cause(log_in(site, Ed25519Signer(), proof, domain))
    assert not peers.dns.asked


# --- signatures


def test_signature_counts_once(site: Site, peers: Peers, signer: Signer) -> None:
    """Threat 34: replayed."""
    peers.dns.put(DOMAIN, "TXT", signer.record)
    peers.dns.put("other.test", "TXT", signer.record)
    text = stamp()
    body = {"domain": DOMAIN, "timestamp": text, "signed_timestamp": signer.sign(text)}
    assert exchange(site, "dns", **body).status_code == 200
    assert "used before" in cause(exchange(site, "dns", "v0.1", **body))
    assert "used before" in cause(exchange(site, "dns", **{**body, "domain": "other.test"}))
    again = {**body, "signed_timestamp": body["signed_timestamp"].upper()}
    assert "used before" in cause(exchange(site, "dns", **again))


def test_signature_is_the_same_in_its_other_form(site: Site, peers: Peers) -> None:
    """Threat 34: of an ECDSA signature anybody can make a second one."""
    signer = P384Signer()
    peers.dns.put(DOMAIN, "TXT", signer.record)
    text = stamp()
    r, s = signer.pair(text)
    body = {"domain": DOMAIN, "timestamp": text, "signed_timestamp": written(r, s)}
    assert exchange(site, "dns", **body).status_code == 200
    body["signed_timestamp"] = written(r, P384_ORDER - s)
    assert "used before" in cause(exchange(site, "dns", **body))


def test_one_of_many_at_once_is_served(site: Site, peers: Peers, signer: Signer) -> None:
    peers.dns.put(DOMAIN, "TXT", signer.record)
    text = stamp()
    body = {"domain": DOMAIN, "timestamp": text, "signed_timestamp": signer.sign(text)}
    statuses: list[int] = []
    together = threading.Barrier(12)

    def ask() -> None:
        with httpx.Client(base_url=site.url, timeout=30) as client:
            together.wait(20)
            statuses.append(client.post("/v0/auth/dns", json=body).status_code)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200] + [401] * 11


def test_wrong_signature_uses_nothing_up(site: Site, peers: Peers) -> None:
    peers.dns.put(DOMAIN, "TXT", Ed25519Signer().record)
    assert log_in(site, Ed25519Signer()).status_code == 401
    assert not UsedSignature.objects.exists()


def test_used_signatures_are_forgotten_when_their_time_is_over(site: Site, peers: Peers, signer: Signer) -> None:
    peers.dns.put(DOMAIN, "TXT", signer.record)
    UsedSignature.objects.create(fingerprint="old", expires_at=clock.now() - timedelta(seconds=1))
    assert log_in(site, signer).status_code == 200
    kept = UsedSignature.objects.get()
    assert kept.fingerprint != "old" and kept.expires_at > clock.now() + timedelta(seconds=30)


@pytest.mark.parametrize(("seconds", "words"), [(-20, "behind"), (120, "ahead of")])
def test_signature_of_another_time_is_refused(
    site: Site, peers: Peers, signer: Signer, seconds: int, words: str
) -> None:
    """Threat 34: expired, and of the future."""
    peers.dns.put(DOMAIN, "TXT", signer.record)
    assert words in cause(log_in(site, signer, seconds=seconds))
    assert not peers.dns.asked


@pytest.mark.parametrize("proof", ["dns", "http"])
def test_body_must_have_all_members(site: Site, peers: Peers, proof: str) -> None:
    whole: dict[str, Any] = {"domain": DOMAIN, "timestamp": stamp(), "signed_timestamp": "00"}
    for name in whole:
        rest = {key: value for key, value in whole.items() if key != name}
        assert exchange(site, proof, **rest).status_code == 422
        assert exchange(site, proof, **{**whole, name: 1}).status_code == 422
    assert exchange(site, proof, **whole, more="x").status_code == 422
