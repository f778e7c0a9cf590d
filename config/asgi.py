"""The site's ASGI entry: admits a request, then hands it to the MCP endpoint, to Channels or to Django.

The MCP endpoint, the registry's API and /healthz stand before Django and its middleware, which would cost a call about
ten times as much as the call itself. What all of them share is decided here: the request must name a host of ours, and
from then on it carries the host of SLIPWAY_URL, so that no link, issuer or resource can come from what a client wrote.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable

from django.core.asgi import get_asgi_application

from config import env
from mcp_endpoint.wire.asgi import Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

os.environ.setdefault("SLIPWAY_PART", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())
django_application: Application = get_asgi_application()  # type: ignore[assignment]  # it wants exactly dict

# Only now: they need Django to be set up.
from django.conf import settings  # noqa: E402

from config import maintenance  # noqa: E402
from config.bodies import bounded  # noqa: E402
from config.routing import websocket_application  # noqa: E402
from hosting.playground import apart as apps  # noqa: E402
from hosting.tasks import feed as task_feed  # noqa: E402
from mcp_endpoint import app as mcp  # noqa: E402
from registry.api import app as registry_api  # noqa: E402

_OUR_HOST = settings.SLIPWAY_URL.partition("://")[2].encode()
_HOSTS = frozenset(name.encode() for name in settings.ALLOWED_HOSTS)
_APPS_HOST = settings.APPS_URL.host.encode() if settings.APPS_URL else b""
_NEEDS_HTTPS = settings.PUBLIC_URL.is_https
_MCP_PATHS = ("/mcp/", "/.well-known/oauth-protected-resource/mcp/")


def host_name(value: bytes) -> bytes:
    """The Host header's value without its port, in lower case."""
    if value.startswith(b"["):
        return value[: value.find(b"]") + 1].lower()
    return value.partition(b":")[0].lower().removesuffix(b".")


def admit(headers: Headers) -> list[tuple[bytes, bytes]] | None:
    """The headers with our own host; None when the request names another host, none, or two."""
    names = [name for name, _ in headers]
    if names.count(b"host") == 1 and (b"host", _OUR_HOST) in headers and b"x-forwarded-host" not in names:
        return list(headers)
    kept: list[tuple[bytes, bytes]] = []
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
            if host_name(value) not in _HOSTS:
                return None
            value = _OUR_HOST
        elif name == b"x-forwarded-host":
            continue
        kept.append((name, value))
    return kept if hosts == 1 else None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    kind = scope["type"]
    if kind == "lifespan":
        await _lifespan(receive, send)
        return
    if _APPS_HOST and _is_of_apps(scope["headers"]):
        await _serve_app(kind, scope, receive, send)
        return
    path: str = scope["path"]
    if kind == "http" and path == "/healthz":  # whatever the host: a balancer asks by address
        await _answer(send, 200, b"ok\n")
        return
    headers = admit(scope["headers"])
    if headers is None:
        await _refuse(kind, receive, send, b"This site has another address: " + settings.SLIPWAY_URL.encode() + b"\n")
        return
    scope["headers"] = headers
    if kind == "websocket":
        await websocket_application(scope, receive, send)
    elif path.startswith(_MCP_PATHS):
        await _serve_mcp(scope, receive, send)
    elif maintenance.is_on():  # Django's middleware says so, whoever would answer otherwise
        await bounded(django_application, scope, receive, send)
    elif task_feed.PATH.fullmatch(path):
        await task_feed.application(scope, receive, send)
    elif registry_api.is_ours(path):
        await registry_api.application(scope, receive, send)
    else:
        await bounded(django_application, scope, receive, send)


async def _serve_mcp(scope: Scope, receive: Receive, send: Send) -> None:
    if _lacks_https(scope):
        await _answer(send, 400, b"Use https: " + settings.SLIPWAY_URL.encode() + b"\n")
    else:
        await mcp.application(scope, receive, send)


def _is_of_apps(headers: Headers) -> bool:
    return [host_name(value) for name, value in headers if name == b"host"] == [_APPS_HOST]


async def _serve_app(kind: str, scope: Scope, receive: Receive, send: Send) -> None:
    """All that is answered under the name that apps have (SLIPWAY_APPS_URL): nothing of the site's own is there."""
    if kind == "websocket" or _lacks_https(scope):
        await _refuse(kind, receive, send, b"Only apps are here, in frames of the site.\n")
    else:
        await apps.application(scope, receive, send)


def _lacks_https(scope: Scope) -> bool:
    return _NEEDS_HTTPS and scope.get("scheme") != "https"


async def _refuse(kind: str, receive: Receive, send: Send, reason: bytes) -> None:
    if kind == "websocket":
        await receive()  # the connect event; closing before accepting it answers 403
        await send({"type": "websocket.close", "code": 4400})
    else:
        await _answer(send, 400, reason)


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await mcp.startup()
            await registry_api.startup()
            await send({"type": "lifespan.startup.complete"})
        else:
            await task_feed.shutdown()
            await registry_api.shutdown()
            await mcp.shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return
