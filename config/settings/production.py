"""A site that others reach: https ended by a proxy in front, and nothing less."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *  # noqa: F403
from config.settings.base import PUBLIC_URL, REGISTRY_ANONYMOUS, TRUSTED_PROXIES

if not PUBLIC_URL.is_https:
    raise ImproperlyConfigured(
        f"SLIPWAY_URL is {PUBLIC_URL.origin!r}, but production needs an https address. "
        "For a site on this machine only, leave DJANGO_SETTINGS_MODULE unset."
    )
if not TRUSTED_PROXIES:
    raise ImproperlyConfigured(
        "TRUSTED_PROXIES is not set, but SLIPWAY_URL is https, so a proxy must end TLS. "
        "Name its address, for example TRUSTED_PROXIES=127.0.0.1."
    )
if REGISTRY_ANONYMOUS:
    raise ImproperlyConfigured(
        "REGISTRY_ANONYMOUS lets anybody publish to the registry without proof, which is for trying things out on this "
        "machine only. Unset it."
    )

# uvicorn reads X-Forwarded-Proto and -For from the trusted proxies only (config/launch/serve.py), so the scheme that
# Django sees is right without SECURE_PROXY_SSL_HEADER.
SECURE_SSL_REDIRECT = True
SECURE_SSL_HOST = PUBLIC_URL.origin.removeprefix("https://")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-slipway_session"
CSRF_COOKIE_NAME = "__Host-slipway_csrf"
LANGUAGE_COOKIE_NAME = "__Host-slipway_language"
