"""A server elsewhere that wants people to sign in, and its authorization server: the real protocol over real HTTP.

It can misbehave: a test changes what it says of itself (`protected`, `metadata`), or answers a path with `instead`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

Answer = tuple[int, dict[str, str], bytes]


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]
    body: bytes


class FakeAuthorizationServer:
    """`/mcp` is the server with one tool, for who has one of `good` tokens; the rest is its authorization server."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.instead: dict[str, Callable[[Asked], Answer]] = {}
        self.protected: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.challenge = 'Bearer scope="mcp:read"'
        self.expires_in: Any = 3600
        self.good: set[str] = set()
        self.refresh: set[str] = set()  # what may be used, each once
        self.revoked: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        self.clients: dict[str, str] = {}
        self.lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                is_form = self.headers.get("Content-Type") == "application/x-www-form-urlencoded"
                form = dict(parse_qsl(body.decode())) if is_form else {}
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, fields, said = fake.answer(Asked(self.command, self.path, headers, form, body))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(said)), **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.resource = f"{self.url}/mcp"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- the person there

    def allow(self, url: str, **changed: str | None) -> dict[str, str]:
        """What the person brings back after saying yes at this address; None leaves a thing out."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        said = {"code": code, "state": asked["state"], "iss": self.said_of_server()["issuer"], **changed}
        return {name: value for name, value in said.items() if value is not None}

    # --- what it says

    def said_of_server(self) -> dict[str, Any]:
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "registration_endpoint": f"{self.url}/register",
            "revocation_endpoint": f"{self.url}/revoke",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return {name: value for name, value in said.items() if value is not None}

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        with self.lock:
            self.asked.append(asked)
        if path in self.instead:
            return self.instead[path](asked)
        match path:
            case "/mcp":
                return self._mcp(asked)
            case "/.well-known/oauth-protected-resource/mcp":
                return as_json({"resource": self.resource, "authorization_servers": [self.url], **self.protected})
            case "/.well-known/oauth-authorization-server":
                return as_json(self.said_of_server())
            case "/register":
                client, secret = f"client-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
                self.clients[client] = secret
                return as_json({**json.loads(asked.body), "client_id": client, "client_secret": secret}, 201)
            case "/token":
                with self.lock:
                    return self._token(asked)
            case "/revoke":
                self.revoked.add(asked.form["token"])
                return as_json({})
        return 404, {}, b""

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def _token(self, asked: Asked) -> Answer:
        form = asked.form
        client = form.get("client_id", "")
        if basic := asked.headers.get("authorization", ""):
            client, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            if self.clients.get(client) != secret:
                return as_json({"error": "invalid_client"}, 401)
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh:
                return as_json({"error": "invalid_grant"}, 400)
            self.refresh.discard(form["refresh_token"])
            return self._tokens("")
        begun = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_good = begun is not None and begun["code_challenge"] == challenge and begun["client_id"] == client
        if begun is None or not is_good or begun["redirect_uri"] != form.get("redirect_uri"):
            return as_json({"error": "invalid_grant"}, 400)
        if begun.get("resource") != form.get("resource"):
            return as_json({"error": "invalid_target"}, 400)
        return self._tokens(begun.get("scope", ""))

    def _tokens(self, scope: str) -> Answer:
        access, refresh = f"at-{secrets.token_urlsafe(16)}", f"rt-{secrets.token_urlsafe(16)}"
        self.good.add(access)
        self.refresh.add(refresh)
        said = {"access_token": access, "token_type": "Bearer", "refresh_token": refresh, "expires_in": self.expires_in}
        return as_json(said | ({"scope": scope} if scope else {}))

    def _mcp(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.good:
            return 401, {"WWW-Authenticate": self.challenge}, b""
        message = json.loads(asked.body)
        results: dict[str, Any] = {
            "server/discover": {
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"tools": {}},
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "far", "version": "1"}},
            },
            "tools/list": {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]},
            "tools/call": {"content": [{"type": "text", "text": asked.headers["authorization"]}]},
        }
        result = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", **results[message["method"]]}
        return as_json({"jsonrpc": "2.0", "id": message["id"], "result": result})


def as_json(said: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(said).encode()


def redirect(to: str) -> Answer:
    return 302, {"Location": to}, b""
