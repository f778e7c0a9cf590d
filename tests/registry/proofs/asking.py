"""What publishers send to the API, and what they learn from its answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

from tests.registry.site import Site, document


def exchange(site: Site, proof: str, version: str = "v0", **body: Any) -> httpx.Response:
    return site.request("POST", f"/{version}/auth/{proof}", json=body)


def permissions(answer: httpx.Response) -> list[str]:
    """What a token says that it permits."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()["registry_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert answer.json()["expires_at"] == claims["exp"] == claims["iat"] + 300
    return [f"{each['action']} {each['resource']}" for each in claims["permissions"]]


def cause(answer: httpx.Response) -> str:
    """Why an exchange was refused, as a publisher's program shows it."""
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 401 and problem["title"] == "Unauthorized"
    words: str = problem["errors"][0]["message"]
    return words


def publish(site: Site, token: str, name: str, version: str = "1.0.0", **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return site.request("POST", "/v0/publish", json=document(name, version, **more), headers=headers)
