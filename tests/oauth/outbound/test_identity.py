"""Who this site is to servers elsewhere, and how it proves that."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.test import Client as Browser
from joserfc.jwk import ECKey

from common import clock
from oauth.clients.assertions import claimed_client
from oauth.clients.jwt import payload_of
from oauth.clients.metadata import KEY, NONE, parse
from oauth.keys import load_signing_key
from oauth.outbound import discovery, identity
from oauth.outbound.discovery import Server
from tests.oauth.outbound.described import ISSUER, said


@pytest.fixture
def https_site(settings: Any) -> str:
    settings.SLIPWAY_URL = "https://slipway.example"
    return "https://slipway.example"


def server(**changed: Any) -> Server:
    return msgspec.structs.replace(discovery.server_read(said(), ISSUER), **changed)


@pytest.mark.parametrize(("kind", "method"), [("public", NONE), ("signed", KEY)])
def test_our_document_is_one_that_we_would_take(https_site: str, kind: str, method: str) -> None:
    key = identity.issuer_key(ISSUER)
    answer = Browser().get(f"/oauth/client-metadata/{kind}/{key}", headers={"host": "127.0.0.1"})
    document = answer.json()
    assert document["client_id"] == f"{https_site}/oauth/client-metadata/{kind}/{key}"
    found = parse(document, (NONE, KEY), NONE)
    assert (found.method, found.redirect_uris) == (method, (f"{https_site}/connect/callback/{key}",))
    assert "no-store" not in answer["Cache-Control"] and answer["Access-Control-Allow-Origin"] == "*"
    assert '"d"' not in answer.content.decode()


@pytest.mark.parametrize("path", ["public/xyz", f"other/{'0' * 16}", f"public/{'A' * 16}", f"public/{'0' * 400}"])
def test_there_is_no_other_document(path: str) -> None:
    assert Browser().get(f"/oauth/client-metadata/{path}", headers={"host": "127.0.0.1"}).status_code == 404


def test_our_assertion_is_one_that_we_would_take(https_site: str) -> None:
    client = identity.document_client(server(takes_documents=True, methods=(KEY,)))
    assert client is not None and client.method == KEY
    form, headers = identity.proof(client, ISSUER)
    assertion = form["client_assertion"]
    jwks = identity.document("signed", identity.issuer_key(ISSUER))["jwks"]
    body = payload_of(assertion, jwks)
    assert claimed_client(assertion) == client.id and headers == {}
    assert body["aud"] == ISSUER and body["exp"] - clock.now().timestamp() < 61
    assert identity.proof(client, ISSUER)[0]["client_assertion"] != assertion
    assert isinstance(identity.client_key(), ECKey)
    assert identity.client_key().kid != load_signing_key().kid


@pytest.mark.parametrize(
    ("methods", "algorithms", "method"),
    [(("none",), (), NONE), ((KEY,), (), KEY), ((KEY, NONE), ("RS256",), NONE), ((KEY,), ("ES256",), KEY)],
)
def test_how_we_prove_ourselves_is_what_the_server_takes(
    https_site: str, methods: tuple[str, ...], algorithms: tuple[str, ...], method: str
) -> None:
    client = identity.document_client(server(takes_documents=True, methods=methods, algorithms=algorithms))
    assert client is not None and client.method == method


def test_a_site_without_https_has_no_document_to_be_known_by() -> None:
    assert identity.document_client(server(takes_documents=True)) is None


def test_each_issuer_has_an_address_of_its_own_to_come_back_to() -> None:
    assert identity.redirect_uri(server()) != identity.redirect_uri(server(issuer="https://other.example"))
