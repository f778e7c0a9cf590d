"""Other sites that people may sign in with: which of them, by the operator's settings."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env

APPS = [
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.openid_connect",
]


def providers() -> dict[str, dict[str, Any]]:
    """As allauth's SOCIALACCOUNT_PROVIDERS. One without a client id is not offered."""
    found: dict[str, dict[str, Any]] = {}
    for name, scope in (("github", ["read:user", "user:email"]), ("google", ["openid", "profile", "email"])):
        if app := _app(f"SLIPWAY_{name.upper()}"):
            found[name] = {"APPS": [app], "SCOPE": scope, "OAUTH_PKCE_ENABLED": True}
    if app := _app("SLIPWAY_OPENID"):
        url = env.text("SLIPWAY_OPENID_URL")
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ImproperlyConfigured("SLIPWAY_OPENID_URL must be the https address of the identity provider.")
        app |= {
            "provider_id": "openid",
            "name": env.text("SLIPWAY_OPENID_NAME", "your organization"),
            "settings": {"server_url": url, "oauth_pkce_enabled": True},
        }
        found["openid_connect"] = {"APPS": [app], "OAUTH_PKCE_ENABLED": True}
    return found


def form_targets() -> list[str]:
    """Where the buttons lead: Chromium applies form-action to redirects, too (CSP 3, 6.4.1)."""
    found = providers()
    origins = {"github": "https://github.com", "google": "https://accounts.google.com"}
    targets = [origin for name, origin in origins.items() if name in found]
    if "openid_connect" in found:
        parts = urlsplit(env.text("SLIPWAY_OPENID_URL"))
        targets.append(f"{parts.scheme}://{parts.netloc}")
    return targets


def check(sign_up: str, domains: list[str], *, has_mail: bool) -> None:
    """Raises where nobody could ever sign up, though the operator says who may."""
    if sign_up != "domain":
        return
    if not domains:
        raise ImproperlyConfigured("SLIPWAY_SIGN_UP=domain needs SLIPWAY_SIGN_UP_DOMAINS, such as example.org.")
    if not has_mail and not providers():
        raise ImproperlyConfigured(
            "SLIPWAY_SIGN_UP=domain needs somebody who checks addresses: set SLIPWAY_MAIL_URL, so that links can be "
            "mailed, or a provider such as SLIPWAY_OPENID_URL."
        )


def is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return True
    return False


def _app(prefix: str) -> dict[str, Any]:
    client_id, secret = env.text(f"{prefix}_CLIENT_ID"), env.text(f"{prefix}_CLIENT_SECRET")
    if bool(client_id) != bool(secret):
        raise ImproperlyConfigured(f"{prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET belong together.")
    return {"client_id": client_id, "secret": secret} if client_id else {}
