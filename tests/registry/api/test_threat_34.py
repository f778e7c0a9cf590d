"""Threat 34: typosquats and stolen namespaces, tried by name over the API (OWASP calls it dependency confusion)."""

from __future__ import annotations

import pytest

from registry.changes import servers_changed
from registry.models import HeldName, Server, ServerVersion
from registry.permissions import Permission
from registry.proofs import exchanges
from registry.proofs.identity import DNS, Identity
from tests.registry.entries import publish
from tests.registry.examples import based
from tests.registry.site import Site


def token(*patterns: str) -> dict[str, str]:
    granted = tuple(Permission("publish", pattern) for pattern in patterns)
    return {"Authorization": f"Bearer {exchanges.issue(Identity(DNS, 'mallory.example', granted)).value}"}


def established(name: str) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        publish(name, version)


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ("io.github.github/github-server", "io.github.githuh/github-servr"),
        ("io.github.modelcontext/filesystem", "io.github.mallory/filesytem"),
        ("io.github.modelcontext/filesystem", "io.github.mallory/file-sytem"),
        ("com.example/pay-ments", "com.examp1e/pay_ments"),
        ("com.example/payments", "com.exarnple/payments"),
        ("com.example/payments", "com.exam-ple/anything"),
    ],
)
def test_typosquat_is_held_and_told_where_it_stands(site: Site, known: str, name: str) -> None:
    established(known)
    answer = site.request(
        "POST", "/v0.1/publish", json=based(name=name), headers=token("*/*", name.partition("/")[0] + "/*")
    )
    assert answer.status_code == 403, answer.text
    assert f"/registry/review/{name}" in answer.text and known in answer.text
    assert HeldName.objects.get().name == name
    assert not ServerVersion.objects.filter(name=name).exists()
    again = site.request("POST", "/v0/publish", json=based(name=name), headers=token(name.partition("/")[0] + "/*"))
    assert again.status_code == 403 and HeldName.objects.count() == 1


def test_allowed_name_is_published_when_it_is_sent_again(site: Site) -> None:
    established("com.example/payments")
    name = "com.exarnple/payments"
    assert (
        site.request("POST", "/v0.1/publish", json=based(name=name), headers=token("com.exarnple/*")).status_code == 403
    )
    HeldName.objects.update(state=HeldName.State.ALLOWED)
    answer = site.request("POST", "/v0.1/publish", json=based(name=name), headers=token("com.exarnple/*"))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "name", ["com.ex\u0430mple/payments", "com.example/p\u0430yments", "com.example/pay\u200bments"]
)
def test_letters_of_another_script_are_no_name(site: Site, name: str) -> None:
    established("com.example/payments")
    answer = site.request("POST", "/v0.1/publish", json=based(name=name), headers=token("com.*"))
    assert answer.status_code in (403, 422), answer.text
    assert not ServerVersion.objects.filter(name=name).exists()


@pytest.mark.parametrize(
    ("granted", "name"),
    [
        ("com.example/*", "com.example.sub/x1"),
        ("com.example/*", "com.examples/x1"),
        ("com.example/*", "com.Example/x1"),
        ("com.example.*", "com.example/x1"),
        ("com.example/*", "org.other/x1"),
        ("com.example/one", "com.example/one-more"),
    ],
)
def test_namespace_that_was_not_proven_is_refused(site: Site, granted: str, name: str) -> None:
    answer = site.request("POST", "/v0.1/publish", json=based(name=name), headers=token(granted))
    assert answer.status_code == 403, answer.text
    assert not Server.objects.filter(name=name, versions__isnull=False).exists()


def test_imports_are_marked_and_not_held(site: Site) -> None:
    established("com.example/payments")
    made = publish("com.exarnple/payments")
    servers_changed([made.pk])
    assert not HeldName.objects.exists()
    assert site.request("GET", "/v0.1/servers/com.exarnple%2Fpayments/versions/latest").status_code == 200
