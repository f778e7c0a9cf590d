"""Records of keys and signatures over the time, without any network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registry.proofs import domains, records, signed_times
from registry.proofs.errors import ProofRefused
from tests.registry.proofs.signing import P384_ORDER, Ed25519Signer, P384Signer, written

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
TEXT = "2026-05-06T07:08:09Z"
Signer = Ed25519Signer | P384Signer


@pytest.fixture(params=[Ed25519Signer, P384Signer])
def signer(request: pytest.FixtureRequest) -> Signer:
    made: Signer = request.param()
    return made


def check(signature: str, *published: str, text: str = TEXT) -> str:
    return signed_times.verified_by(signed_times.read(text, signature, now=NOW), records.keys(published))


def test_own_signature_is_accepted(signer: Signer) -> None:
    assert len(check(signer.sign(TEXT), signer.record)) == 64


def test_one_of_several_keys_suffices(signer: Signer) -> None:
    others = [Ed25519Signer().record, "v=spf1 -all", "v=MCPv1; k=rsa; p=AAAA", P384Signer().record]
    assert check(signer.sign(TEXT), *others, signer.record)


def test_records_on_one_page_are_all_read(signer: Signer) -> None:
    assert check(signer.sign(TEXT), f"{Ed25519Signer().record}\n{signer.record}\n")


def test_signature_of_another_key_names_the_keys_tried(signer: Signer) -> None:
    with pytest.raises(ProofRefused, match="tried ed25519:"):
        check(signer.sign(TEXT), Ed25519Signer().record)


def test_signature_over_another_text_is_refused(signer: Signer) -> None:
    with pytest.raises(ProofRefused, match="none of the keys"):
        check(signer.sign("2026-05-06T07:08:10Z"), signer.record)


@pytest.mark.parametrize("seconds", [-15, 0, 15])
def test_clocks_may_differ_by_fifteen_seconds(signer: Signer, seconds: int) -> None:
    text = (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert check(signer.sign(text), signer.record, text=text)


@pytest.mark.parametrize("seconds", [-16, 16, -86400, 86400 * 365])
def test_other_times_are_refused(signer: Signer, seconds: int) -> None:
    text = (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with pytest.raises(ProofRefused, match="15 are allowed"):
        check(signer.sign(text), signer.record, text=text)


@pytest.mark.parametrize(
    "text", ["2026-05-06T07:08:09.123456789Z", "2026-05-06T09:08:09+02:00", "2026-05-06T07:08:09.5Z"]
)
def test_every_form_of_rfc_3339_is_read(signer: Signer, text: str) -> None:
    assert check(signer.sign(text), signer.record, text=text)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-05-06", "2026-05-06 07:08:09Z", "2026-05-06T07:08:09", "2026-13-06T07:08:09Z", "177805"],
)
def test_what_is_no_time_is_refused(signer: Signer, text: str) -> None:
    with pytest.raises(ProofRefused, match="RFC 3339"):
        check(signer.sign(text), signer.record, text=text)


@pytest.mark.parametrize("signature", ["", "zz", "abc", "00" * 64, "00" * 96, "00" * 95, "ff" * 200, "é" * 64])
def test_what_is_no_signature_is_refused(signer: Signer, signature: str) -> None:
    with pytest.raises(ProofRefused):
        check(signature, signer.record)


def test_fingerprint_stands_for_a_signature_however_it_is_written() -> None:
    signer = P384Signer()
    r, s = signer.pair(TEXT)
    assert check(written(r, s), signer.record) == check(written(r, P384_ORDER - s), signer.record)
    assert check(written(r, s).upper(), signer.record) == check(written(r, s), signer.record)
    assert check(written(r, s), signer.record) != check(signer.sign(TEXT), signer.record), (
        "another signature is another"
    )


def test_leading_zeros_that_a_signer_left_out_are_put_back() -> None:
    signer = P384Signer()
    found: set[str] = set()
    for second in range(3000):
        text = (NOW + timedelta(microseconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        r, s = signer.pair(text)
        short = [name for name, number in (("r", r), ("s", s)) if number.bit_length() <= 376]
        if short and short[0] not in found:
            found.add(short[0])
            shortest = b"".join(number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (r, s))
            assert check(shortest.hex(), signer.record, text=text)
        if found == {"r", "s"}:
            break
    assert found == {"r", "s"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello", "No record was found"),
        ("v=MCPv1; k=ed25519; p=AAAA", "32 bytes"),
        ("v=MCPv1; k=ecdsap384; p=AAAA", "49 bytes"),
        ("v=MCPv1; k=ecdsap384; p=Av" + "/" * 63 + "w==", "49 bytes|P-384|base64"),
        ("v=MCPv1; k=rsa; p=AAAA", "not ed25519 or ecdsap384"),
        ("v=MCPv1; k=ed25519; p=A", "no base64"),
        ("v=MCPv2; k=ed25519; p=AAAA", "No record was found"),
    ],
)
def test_record_that_is_of_no_use_says_why(text: str, words: str) -> None:
    with pytest.raises(ProofRefused, match=words):
        records.keys([text])


@pytest.mark.parametrize(
    "domain",
    [
        "", "localhost", "example", ".example.org", "example.org.", "exa_mple.org", "-a.org", "a-.org", "a..org",
        "127.0.0.1", "[::1]", "example.org:8443", "user@example.org", "example.org/path", "https://example.org",
        "exämple.org", "a" * 64 + ".org", ("a" * 49 + ".") * 5 + "example.org", "example.org\n", "example.0",
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ProofRefused, match="domain isn't valid"):
        domains.check(domain, github="io.github")


@pytest.mark.parametrize("domain", ["alice.github.io", "Alice.GitHub.IO", "x.alice.github.io", "github.io"])
def test_pages_at_github_prove_nothing_about_the_account(domain: str) -> None:
    """Threat 34: who may push to one repository of an organization writes its page."""
    with pytest.raises(ProofRefused, match="belong to GitHub accounts"):
        domains.check(domain, github="io.github")


def test_domain_becomes_a_namespace_with_its_case() -> None:
    domains.check("Team.Example.org", github="io.github")
    dns = domains.granted("Team.Example.org", with_subdomains=True)
    assert [each.resource for each in dns] == ["org.Example.Team/*", "org.Example.Team.*"]
    assert [each.resource for each in domains.granted("a.io", with_subdomains=False)] == ["io.a/*"]
