"""Where the site's mail goes: an SMTP server of the operator's, or nowhere but the log."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env

SECONDS = 10  # a person waits


@dataclass(frozen=True)
class MailServer:
    """No host: there is none."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    has_tls: bool = False  # from the first byte
    has_starttls: bool = False  # RFC 3207
    sender: str = "slipway@localhost"


def mail_server() -> MailServer:
    """The messages never show the address: it may hold a password."""
    url = env.text("SLIPWAY_MAIL_URL")
    if not url:
        return MailServer()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("smtp", "smtps") or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured("SLIPWAY_MAIL_URL must be like smtp://user:password@mail.example.org:587, or smtps.")
    sender = env.text("SLIPWAY_MAIL_FROM")
    if "@" not in sender:
        raise ImproperlyConfigured("SLIPWAY_MAIL_FROM must be the address that mail comes from.")
    is_tls = parts.scheme == "smtps"
    return MailServer(
        host,
        port or (465 if is_tls else 587),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        has_tls=is_tls,
        has_starttls=not is_tls and not env.is_loopback(host),
        sender=sender,
    )
