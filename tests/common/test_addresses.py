"""Which addresses may be reached, in every way that they can be written."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from common.addresses import (
    HostInvalid,
    first_refusal,
    host_name,
    host_pattern,
    matches,
    networks,
    refusal,
)


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001::200e"])
def test_public_addresses_may_be_reached(text: str) -> None:
    assert refusal(ip_address(text)) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("::1", "loopback"),
        ("10.0.0.5", "private"), ("172.16.0.1", "private"), ("172.31.255.255", "private"), ("192.168.1.1", "private"),
        ("fc00::1", "private"), ("fd12:3456::1", "private"), ("fec0::1", "private"),
        ("169.254.169.254", "metadata"), ("fd00:ec2::254", "metadata"), ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"), ("169.254.1.1", "link-local"), ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"), ("100.64.0.1", "carrier"), ("224.0.0.1", "multicast"),
        ("239.1.2.3", "multicast"), ("224.0.1.1", "multicast"), ("ff02::1", "multicast"), ("ff0e::1", "multicast"),
        ("0.0.0.0", "reserved"), ("0.1.2.3", "reserved"), ("::", "reserved"), ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"), ("192.0.2.1", "reserved"), ("198.51.100.1", "reserved"),
        ("203.0.113.9", "reserved"), ("198.18.0.1", "reserved"), ("192.0.0.1", "reserved"),
        ("2001:db8::1", "reserved"), ("3fff::1", "documentation"), ("100::1", "reserved"), ("4000::1", "reserved"),
        ("::ffff:10.0.0.1", "translated"), ("::ffff:8.8.8.8", "translated"), ("::ffff:169.254.169.254", "metadata"),
        ("::ffff:0:10.0.0.1", "translated"), ("::10.0.0.1", "reserved"), ("64:ff9b::a00:1", "translated"),
        ("64:ff9b::808:808", "translated"), ("64:ff9b:1::a00:1", "translated"), ("2002:a00:1::1", "translated"),
        ("2001:0:1:2::3", "translated"), ("192.88.99.1", "translated"),
    ],
)  # fmt: skip
def test_what_is_not_public_may_not(text: str, words: str) -> None:
    assert words in refusal(ip_address(text))


def test_operators_networks_may_be_reached_and_nothing_beside_them() -> None:
    allowed = networks(["10.1.0.0/16", "fd00::/8", " 127.0.0.1 "])
    for text in ("10.1.2.3", "fd00::1", "127.0.0.1", "1.1.1.1"):
        assert refusal(ip_address(text), allowed) == ""
    for text in ("10.2.0.1", "127.0.0.2", "fe80::1", "::ffff:10.1.2.3"):
        assert refusal(ip_address(text), allowed)


@pytest.mark.parametrize("text", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"])
def test_no_list_opens_the_metadata_address(text: str) -> None:
    assert refusal(ip_address(text), networks(["0.0.0.0/0", "::/0"])) == "metadata address"


def test_translator_that_the_operator_let_in_leads_to_public_addresses_only() -> None:
    allowed = networks(["64:ff9b::/96"])
    assert refusal(ip_address("64:ff9b::808:808"), allowed) == ""
    assert refusal(ip_address("64:ff9b::a00:1"), allowed) == "private address"
    assert refusal(ip_address("64:ff9b::a9fe:a9fe"), networks(["::/0"])) == "metadata address"


def test_one_bad_address_spoils_its_host() -> None:
    assert first_refusal(["1.1.1.1", "10.0.0.1"]) == ("10.0.0.1", "private address")
    assert first_refusal(["1.1.1.1", "2606:4700:4700::1111"]) == ("", "")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("API.Example.org.", "api.example.org"), ("bücher.example", "xn--bcher-kva.example"),
        ("[2606:4700:4700::1111]", "2606:4700:4700::1111"), ("2606:4700:4700:0:0::1111", "2606:4700:4700::1111"),
        ("1.1.1.1", "1.1.1.1"), ("_dmarc.example.org", "_dmarc.example.org"), ("localhost", "localhost"),
        ("123.example", "123.example"),
    ],
)  # fmt: skip
def test_hosts_have_one_spelling(text: str, wanted: str) -> None:
    assert host_name(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5", "a..b", "-a.b",
        "a b", "a/b", "a@b", "a\r\nb", "a\0b", "[1.1.1.1]", "[::1", "fe80::1%eth0", "x" * 64, "a." * 127 + "aa", "a:b",
        "１27.0.0.01", "127.１", "*.example.org",
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(HostInvalid):
        host_name(text)


def test_patterns() -> None:
    patterns = [host_pattern("API.example.org"), host_pattern("*.Files.example.org")]
    assert matches("api.example.org", patterns)
    assert matches("a.b.files.example.org", patterns)
    for host in ("example.org", "xapi.example.org", "files.example.org", "evilfiles.example.org"):
        assert not matches(host, patterns)


@pytest.mark.parametrize("text", ["*", "*.org", "*.*.org", "a.*.org", "*.1.2.3.4", "https://example.org", ""])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(HostInvalid):
        host_pattern(text)
