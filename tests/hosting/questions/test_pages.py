"""Which addresses a server may send a person to, and what of them is shown."""

from __future__ import annotations

import pytest

from common.addresses import HostInvalid
from hosting.questions.pages import page_of, refusal_of_page
from hosting.runner.placement import LISTED, REFUSED, PageRule, Pages

EVIL = "https://HOST.evil.tld"


@pytest.mark.parametrize(
    ("url", "host", "after", "reads_as"),
    [
        ("https://example.org", "example.org", "", ""),
        ("https://Example.ORG./go?state=1#x", "example.org", "/go?state=1#x", ""),
        ("https://example.org:8443/", "example.org:8443", "/", ""),
        ("https://example.org:443?a", "example.org", "?a", ""),
        ("https://xn--pple-43d.example/", "xn--pple-43d.example", "/", "аpple.example"),
        ("https://аpple.example/", "xn--pple-43d.example", "/", "аpple.example"),
        ("https://example.org/?token_type=code&client_id=a&next=access_token", "example.org",
         "/?token_type=code&client_id=a&next=access_token", ""),
    ],
)  # fmt: skip
def test_what_is_shown(url: str, host: str, after: str, reads_as: str) -> None:
    page = page_of(url)
    assert (page.url, page.host, page.before, page.after, page.reads_as) == (url, host, "https://", after, reads_as)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "//example.org", "http://example.org", "javascript:alert(1)", "https:example.org",
        "https:/example.org", "https://", "https:///x", "https://user@example.org", "https://user:pw@example.org",
        "https://@example.org", "https://example.org\\@evil.example", "https://example.org/\n", " https://example.org",
        "https://exa mple.org", "https://127.0.0.1", "https://2130706433", "https://0x7f.1", "https://127.1",
        "https://[::1]", "https://[::ffff:10.0.0.1]", "https://8.8.8.8", "https://localhost", "https://a.localhost",
        "https://intranet", "https://printer.local", "https://metadata.google.internal", "https://%65vil.example",
        "https://example.org:99999", "https://example.org:x", "https://a..b", "https://[x", "https://①.example@x.example",
        "https://example.org/?access_token=abc", "https://example.org/#access_token=abc", "https://e.example/?API_KEY=1",
        "https://e.example/#/cb?id_token=1", "https://e.example/" + "x" * 9000,
    ],
)  # fmt: skip
def test_what_is_not_opened(url: str) -> None:
    with pytest.raises(HostInvalid):
        page_of(url)
    assert refusal_of_page(url, Pages())


def test_a_foreign_page_is_allowed_where_nobody_says_otherwise() -> None:
    assert refusal_of_page(EVIL, Pages()) == ""


@pytest.mark.parametrize("whose", ["The operator of this site", "The organization alice"])
def test_a_rule_that_refuses_foreign_pages_names_whose_it_is(whose: str) -> None:
    words = refusal_of_page(EVIL, Pages(rules=[PageRule(whose, REFUSED)]))
    assert words.startswith(whose) and "host.evil.tld" in words


def test_a_list_allows_what_is_on_it() -> None:
    pages = Pages(rules=[PageRule("The organization alice", LISTED, ["example.org", "*.example.com"])])
    assert refusal_of_page("https://example.org/go", pages) == ""
    assert refusal_of_page("https://login.example.com:8443/go", pages) == ""
    for other in (EVIL, "https://example.org.evil.tld", "https://notexample.com", "https://example.com.evil.tld"):
        assert "the organization alice" in refusal_of_page(other, pages)


def test_all_rules_have_to_allow_it() -> None:
    pages = Pages(rules=[PageRule("The operator", LISTED, ["a.example"]), PageRule("The owner", LISTED, ["b.example"])])
    assert "the owner" in refusal_of_page("https://a.example", pages)
    assert "the operator" in refusal_of_page("https://b.example", pages)


def test_a_host_that_begins_or_ends_like_the_sites_own_is_foreign() -> None:
    pages = Pages(own=["mcp.example.org"], rules=[PageRule("The owner", REFUSED)])
    for host in ("mcp.example.org.evil.tld", "evil-mcp.example.org", "a.mcp.example.org", "example.org"):
        assert host in refusal_of_page(f"https://{host}/", pages)


def test_what_is_not_foreign_needs_no_rule_but_a_good_address() -> None:
    pages = Pages(own=["mcp.example.org"], rules=[PageRule("The owner", REFUSED)])
    assert refusal_of_page("https://mcp.example.org/login", pages) == ""
    assert refusal_of_page("http://mcp.example.org/login", pages)
    assert refusal_of_page("https://mcp.example.org/?password=x", pages)
