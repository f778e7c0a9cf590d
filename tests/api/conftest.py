"""People, their tokens, and clients that speak JSON with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from events.actors import OPERATOR
from oauth import scopes
from oauth.api_tokens import api_token_issue
from tests.factories import make_user


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["code"])

    @property
    def code_or_none(self) -> str | None:
        return self.body.get("code") if isinstance(self.body, dict) else None


class ApiClient:
    """Requests with a bearer token; `token=""` for none."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.client = Client()

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        if self.token:
            more["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        response = self.client.generic(method, f"/api/{path}", **more)
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status_code, response.json() if is_json else response.content, response.headers)

    def upload(self, path: str, **fields: Any) -> Answer:
        response = self.client.post(f"/api/{path}", fields, HTTP_AUTHORIZATION=f"Bearer {self.token}")
        return Answer(response.status_code, response.json(), response.headers)


def token_of(user: User, *wanted: str) -> str:
    _, value = api_token_issue(actor=OPERATOR, user=user, scopes=wanted or scopes.API_KNOWN, ttl_seconds=600)
    return value


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def api(alice: User) -> ApiClient:
    return ApiClient(token_of(alice))


@pytest.fixture
def as_bob(bob: User) -> ApiClient:
    return ApiClient(token_of(bob))


@pytest.fixture
def api_of() -> Callable[[User], ApiClient]:
    return lambda user: ApiClient(token_of(user))
