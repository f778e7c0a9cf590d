"""Signing up by a link that is mailed to an address at the right domain."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts.invitations import MOST_OPEN, invitation_create
from accounts.models import Invitation, User
from config import sign_in
from config.mail import mail_server
from events.actors import OPERATOR
from tests.factories import PASSWORD, make_user
from tests.nonces import without_nonces

LINK = re.compile(r"/invite/[\w-]+")


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    cache.clear()
    settings.SLIPWAY_SIGN_UP, settings.SLIPWAY_SIGN_UP_DOMAINS = "domain", ["acme.example"]
    settings.SLIPWAY_HAS_MAIL = True


def ask(email: str) -> int:
    return Client().post("/sign-up/", {"email": email}).status_code


def links() -> list[str]:
    return [found[0] for sent in mail.outbox if (found := LINK.search(str(sent.body)))]


@pytest.mark.django_db
def test_whoever_reads_the_mail_makes_the_account(client: Client) -> None:
    assert 'href="/sign-up/"' in client.get("/accounts/login/").content.decode()
    assert ask("Ann@ACME.example") == 200
    assert not User.objects.exists()
    assert [sent.to for sent in mail.outbox] == [["ann@acme.example"]]
    assert client.post(links()[0], {"name": "ann", "password": PASSWORD}).status_code == 302
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.site_role) == ("ann", False, "member")
    assert EmailAddress.objects.get().verified and client.session["_auth_user_id"] == str(user.pk)
    assert Client().get(links()[0]).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "email",
    ["ann@evil.example", "ann@acme.example.evil.example", "ann@sub.acme.example", "acme.example", "", "a" * 300,
     "ann@acme.example\nBcc: bob@evil.example", "ann@acme.example, bob@evil.example", "ann@acme.example\0"],
)  # fmt: skip
def test_other_addresses_get_nothing(email: str) -> None:
    assert ask(email) == 400
    assert mail.outbox == [] and not Invitation.objects.exists()


@pytest.mark.django_db
def test_who_has_an_account_is_told_by_mail_only(client: Client) -> None:
    EmailAddress.objects.create(user=make_user("ann"), email="ann@acme.example", verified=True, primary=True)
    known = client.post("/sign-up/", {"email": "ann@acme.example"})
    unknown = client.post("/sign-up/", {"email": "bob@acme.example"})
    csrf = re.compile(rb"csrfmiddlewaretoken[^>]*>")
    assert csrf.sub(b"", without_nonces(known.content)) == csrf.sub(b"", without_nonces(unknown.content))
    assert "It has one already: ann" in str(mail.outbox[0].body) and len(links()) == 1


@pytest.mark.django_db
def test_one_address_one_account(client: Client) -> None:
    ask("ann@acme.example")
    ask("ann@acme.example")
    first, second = links()
    assert client.get(first).status_code == 404  # the later one counts
    EmailAddress.objects.create(user=make_user("ann"), email="ann@acme.example", verified=True, primary=True)
    assert client.post(second, {"name": "ann2", "password": PASSWORD}).status_code == 400
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_nobody_is_flooded_and_no_invitations_are_used_up() -> None:
    assert [ask("ann@acme.example") for _ in range(4)] == [200, 200, 200, 429]
    assert [ask(f"p{number}@acme.example") for number in range(7)] == [200] * 6 + [429]  # ten from here
    Invitation.objects.bulk_create(
        Invitation(digest=str(number), makes_account=True, email=f"q{number}@acme.example",
                   expires_at=Invitation.objects.latest("expires_at").expires_at)
        for number in range(MOST_OPEN)
    )  # fmt: skip
    assert invitation_create(actor=OPERATOR)


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "has_mail"), [("invite", True), ("closed", True), ("open", True), ("domain", False)])
def test_elsewhere_there_is_no_such_page(settings: Any, mode: str, has_mail: bool) -> None:
    settings.SLIPWAY_SIGN_UP, settings.SLIPWAY_HAS_MAIL = mode, has_mail
    assert Client().get("/sign-up/").status_code == 404
    assert ask("ann@acme.example") == 404
    assert mail.outbox == []
    assert 'href="/sign-up/"' not in Client().get("/accounts/login/").content.decode()


def test_a_site_that_could_let_nobody_in_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="SLIPWAY_SIGN_UP_DOMAINS"):
        sign_in.check("domain", [], has_mail=True)
    with pytest.raises(ImproperlyConfigured, match="SLIPWAY_MAIL_URL"):
        sign_in.check("domain", ["acme.example"], has_mail=False)
    sign_in.check("domain", ["acme.example"], has_mail=True)
    sign_in.check("invite", [], has_mail=False)
    monkeypatch.setenv("SLIPWAY_GITHUB_CLIENT_ID", "id")
    monkeypatch.setenv("SLIPWAY_GITHUB_CLIENT_SECRET", "secret")
    sign_in.check("domain", ["acme.example"], has_mail=False)


@pytest.mark.parametrize(
    ("url", "port", "tls", "starttls"),
    [
        ("smtp://u%40x:p%2Fw@mail.example.org", 587, False, True),
        ("smtps://u%40x:p%2Fw@mail.example.org", 465, True, False),
        ("smtp://u%40x:p%2Fw@127.0.0.1:2525", 2525, False, False),
    ],
)
def test_mail_server(monkeypatch: pytest.MonkeyPatch, url: str, port: int, tls: bool, starttls: bool) -> None:
    monkeypatch.setenv("SLIPWAY_MAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="SLIPWAY_MAIL_FROM"):
        mail_server()
    monkeypatch.setenv("SLIPWAY_MAIL_FROM", "mcp@example.org")
    found = mail_server()
    assert (found.port, found.user, found.password, found.has_tls, found.has_starttls) == (
        port, "u@x", "p/w", tls, starttls,
    )  # fmt: skip


@pytest.mark.parametrize("url", ["mail.example.org", "http://s3cret@mail", "smtp://", "smtp://h:99999", "smtp://h/p"])
def test_mail_server_that_is_none_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SLIPWAY_MAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="SLIPWAY_MAIL_URL must be") as caught:
        mail_server()
    assert "s3cret" not in str(caught.value)


class FakeSmtp:
    """Speaks as much of RFC 5321 as sending one mail takes. `answer` is what it says to a recipient."""

    def __init__(self, answer: str) -> None:
        self.answer, self.got = answer, ""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection, connection.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 here\r\n")
            for line in iter(lines.readline, b""):
                word = line[:4].strip().upper()
                if word == b"DATA":
                    lines.write(b"354 go on\r\n")
                    self.got = b"".join(iter(lines.readline, b".\r\n")).decode()
                said = self.answer if word == b"RCPT" else "221 bye" if word == b"QUIT" else "250 fine"
                lines.write(f"{said}\r\n".encode())
                if word == b"QUIT":
                    return

    def close(self) -> None:
        self._thread.join(10)
        self._socket.close()


@pytest.fixture(params=["250 fine", "550 nobody here"])
def smtp(request: pytest.FixtureRequest, settings: Any) -> Iterator[FakeSmtp]:
    made = FakeSmtp(request.param)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", made.port, False
    yield made
    made.close()


@pytest.mark.django_db
def test_over_smtp(smtp: FakeSmtp) -> None:
    status = ask("ann@acme.example")
    if smtp.answer.startswith("250"):
        assert status == 200 and LINK.search(smtp.got) and "To: ann@acme.example" in smtp.got
    else:
        assert status == 503
