"""Apps that hosted servers bring for their tools (MCP Apps, SEP-1865, 2026-01-26): a stranger's HTML in a page.

The page reads the HTML from the server, through the endpoint, and hands it over here; it is kept in the cache for a
moment, so that a frame of that page can load it once under a policy of its own. `sandbox` without `allow-same-origin`
makes it nobody's: no cookie, no storage, no way into the page around it. It reaches no host unless the app declared it
and the operator allows it (SLIPWAY_APP_HOSTS). The frame loads it from this site, for the person who kept it alone; or
from another address, where nobody is signed in and whoever has its id gets it (hosting/playground/apart.py).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from django.core.cache import cache
from django.utils.translation import gettext

from common import limits
from common.errors import BadInput, Forbidden, NotFound
from events.actors import Actor
from hosting.access.permissions import may_call
from hosting.models import Deployment

MAX_BYTES: Final = 4 * 1024 * 1024  # of the request that brings it
KEPT_SECONDS: Final = 60
LIMIT, LIMIT_SECONDS = 120, 600  # apps of one person
MAX_DECLARED: Final = 50  # origins of one kind
_ORIGIN = re.compile(r"(https|wss)://(\*\.)?([a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)(:[0-9]{1,5})?/?", re.IGNORECASE)


class Declared(msgspec.Struct, rename="camel"):
    """`_meta.ui.csp` of the resource: origins that the app says it needs. Raw JSON, of whatever type."""

    connect_domains: Any = None
    resource_domains: Any = None


class _Sent(msgspec.Struct):
    html: str
    csp: Declared = msgspec.field(default_factory=Declared)


@dataclass(frozen=True)
class App:
    """`html` as the server gave it, and the Content-Security-Policy under which it is shown."""

    html: str
    policy: str


def app_keep(
    *, actor: Actor, deployment: Deployment, body: bytes, allowed: Iterable[str], framed_by: Iterable[str] = ()
) -> str:
    """`body` is {"html", "csp"}. The id under which it is loaded once, within a minute: by this person's page, or at
    the address beside the site, by a frame in a page of the origins `framed_by`. Raises Forbidden for who may not call
    the server, BadInput, and TooMany."""
    if not may_call(actor, deployment):
        raise Forbidden(
            "call_forbidden", gettext("You may look at this server, but not call it. Its owner can let you.")
        )
    if len(body) > MAX_BYTES:
        raise BadInput(
            "app_too_large",
            gettext("The app is larger than %(most)s MiB, and is not shown.") % {"most": MAX_BYTES // 1024 // 1024},
        )
    try:
        sent = msgspec.json.decode(body, type=_Sent)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput("app_unreadable", gettext("The app can't be read.")) from error
    limits.count("playground_app", str(actor), limit=LIMIT, seconds=LIMIT_SECONDS)
    app_id = secrets.token_urlsafe(24)
    origins = list(framed_by)
    key = _key_apart(app_id) if origins else _key(actor, deployment, app_id)
    cache.set(key, (sent.html, policy(sent.csp, allowed, origins or ["'self'"])), KEPT_SECONDS)
    return app_id


def app_take(*, actor: Actor, deployment: Deployment, app_id: str) -> App:
    """Once, for whoever kept it. Raises NotFound."""
    return _take(_key(actor, deployment, app_id))


def app_take_apart(app_id: str) -> App:
    """Once, for whoever knows its id, which is a secret of the page that kept it. Raises NotFound."""
    return _take(_key_apart(app_id))


def _take(key: str) -> App:
    found = cache.get(key)
    if found is None or not cache.delete(key):
        raise NotFound(
            "app_unknown", gettext("This app was shown already, or its time has passed. Call the tool again.")
        )
    return App(*found)


def policy(declared: Declared, allowed: Iterable[str], framed_by: Iterable[str]) -> str:
    """What the specification's restrictive default says, and stricter; hosts only where both sides want them. Pure.
    `framed_by`: sources of CSP."""
    rules = list(allowed)
    resources = " ".join(_origins(declared.resource_domains, rules, "https"))
    connect = " ".join(_origins(declared.connect_domains, rules, "https", "wss")) or "'none'"
    return "; ".join(
        (
            "sandbox allow-scripts",
            "default-src 'none'",
            f"script-src 'unsafe-inline' {resources}".strip(),
            f"style-src 'unsafe-inline' {resources}".strip(),
            f"img-src data: {resources}".strip(),
            f"font-src data: {resources}".strip(),
            f"media-src data: {resources}".strip(),
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {' '.join(framed_by)}",
        )
    )


def _origins(said: Any, allowed: list[str], *schemes: str) -> Iterator[str]:
    """Written anew from their parts, so that nothing else gets into the policy."""
    for each in said[:MAX_DECLARED] if isinstance(said, list) else ():
        match = _ORIGIN.fullmatch(each) if isinstance(each, str) else None
        if match is None or match[1].lower() not in schemes:
            continue
        place = f"{match[2] or ''}{match[3]}{match[4] or ''}".lower()
        if any(_covers(rule, place) for rule in allowed):
            yield f"{match[1].lower()}://{place}"


def _covers(rule: str, place: str) -> bool:
    """Both are a host with its port, if it says one; or *.host for all below it."""
    return place == rule or (rule.startswith("*.") and place.removeprefix("*").endswith(rule[1:]))


def _key(actor: Actor, deployment: Deployment, app_id: str) -> str:
    return f"playground:app:{actor}:{deployment.pk}:{app_id}"


def _key_apart(app_id: str) -> str:
    return f"playground:app:apart:{app_id}"
