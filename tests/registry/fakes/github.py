"""GitHub, as far as a publisher and a registry see it: the device flow of an OAuth app, and the REST API."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.registry.fakes.web import MISSING, Request, Response

CLIENT_ID = "Iv1.0123456789abcdef"


@dataclass
class FakeUser:
    """`roles` are by organization: admin or member; `states` too, where one is not active."""

    login: str
    id: int
    roles: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    organization_ids: dict[str, int] = field(default_factory=dict)


class FakeGitHub:
    """`token` gives a person's token, as the pages for them do."""

    def __init__(self) -> None:
        self.users: dict[str, FakeUser] = {}  # by token
        self.scopes: dict[str, str] = {}
        self.status = 0  # answer everything with it
        self.at_the_browser: FakeUser | None = None  # who enters each code as soon as it is shown
        self._devices: dict[str, dict[str, Any]] = {}

    def token(self, user: FakeUser, scope: str = "read:org read:user") -> str:
        made = f"gho_{secrets.token_urlsafe(27)}"
        self.users[made] = user
        self.scopes[made] = scope
        return made

    def answer(self, request: Request) -> Response:
        if self.status:
            return _json({"message": "It does not work"}, self.status)
        match request.method, request.path:
            case "POST", "/login/device/code":
                return self._device_code(json.loads(request.body))
            case "POST", "/login/oauth/access_token":
                return self._access_token(json.loads(request.body))
        user = self.users.get(request.bearer)
        if user is None:
            return _json({"message": "Bad credentials"}, 401)
        match request.method, request.path:
            case "GET", "/user":
                return _json({"login": user.login, "id": user.id, "type": "User", "site_admin": False})
            case "GET", "/user/memberships/orgs":
                return self._memberships(request, user)
        return MISSING

    def _memberships(self, request: Request, user: FakeUser) -> Response:
        if "read:org" not in self.scopes[request.bearer]:
            return _json({"message": "Resource not accessible"}, 403)
        every = [
            {
                "role": role,
                "state": user.states.get(login, "active"),
                "organization": {"login": login, "id": user.organization_ids.get(login, 1000 + index)},
                "user": {"login": user.login, "id": user.id},
            }
            for index, (login, role) in enumerate(user.roles.items())
        ]
        wanted = request.query.get("state")
        shown = [each for each in every if wanted in (None, each["state"])]
        size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
        return _json(shown[(page - 1) * size : page * size])

    def _device_code(self, body: dict[str, str]) -> Response:
        if body.get("client_id") != CLIENT_ID:
            return _json({"error": "incorrect_client_credentials"})
        device, code = secrets.token_hex(20), f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
        self._devices[device] = {"user_code": code, "scope": body.get("scope", ""), "user": self.at_the_browser}
        found = {"device_code": device, "user_code": code, "expires_in": 899, "interval": 5}
        return _json({**found, "verification_uri": "https://github.com/login/device"})

    def _access_token(self, body: dict[str, str]) -> Response:
        device = self._devices.get(body.get("device_code", ""))
        if device is None or body.get("grant_type") != "urn:ietf:params:oauth:grant-type:device_code":
            return _json({"error": "incorrect_device_code"})
        if device["user"] is None:
            return _json({"error": "authorization_pending"})
        token = self.token(device["user"], device["scope"])
        return _json({"access_token": token, "token_type": "bearer", "scope": device["scope"].replace(" ", ",")})


def _json(found: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(found).encode(), {"Content-Type": "application/json; charset=utf-8"})
