"""mcp-publisher's requests, written by hand, and the program itself where MCP_PUBLISHER or PATH names it.

Both are driven alike, by the same tests: the requests always, the program too where there is one. The requests are
those of 1.7 (`cmd/publisher`), which calls /v0 alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.registry.proofs.signing import Ed25519Signer, P384Signer, stamp

Signer = Ed25519Signer | P384Signer
FILE = shutil.which(os.environ.get("MCP_PUBLISHER", "mcp-publisher"))


class Failed(Exception):
    """It ended with an error; the text is what it said."""


@dataclass
class Surroundings:
    """What a login needs beside its arguments."""

    home: Path
    registry: str
    authority: Path
    proxy: str = ""
    github: str = ""  # where github.com's device flow is
    token_url: str = ""  # ACTIONS_ID_TOKEN_REQUEST_URL
    token_secret: str = ""


@dataclass
class Command:
    """The program itself."""

    around: Surroundings

    def login(self, method: str, *words: str) -> None:
        self._run("login", method, "--registry", self.around.registry, *words)

    def login_signed(self, method: str, domain: str, signer: Signer) -> None:
        kind = "ecdsap384" if isinstance(signer, P384Signer) else "ed25519"
        self.login(method, "--domain", domain, "--private-key", signer.private, "--algorithm", kind)

    def publish(self, document: dict[str, Any]) -> str:
        return self._run("publish", self._file(document))

    def validate(self, document: dict[str, Any]) -> str:
        return self._run("validate", self._file(document))

    def status(self, status: str, name: str, version: str = "", message: str = "") -> str:
        which = [name, version] if version else ["--all-versions", "--yes", name]
        if not version:
            return self._run("status", "--status", status, "--message", message, *which)
        return self._run("status", "--status", status, "--message", message, name, version)

    def _file(self, document: dict[str, Any]) -> str:
        path = self.around.home / "server.json"
        path.write_text(json.dumps(document))
        return str(path)

    def _run(self, *words: str) -> str:
        assert FILE is not None
        around = self.around
        environment = {
            "HOME": str(around.home),
            "PATH": "/usr/bin:/bin",
            "SSL_CERT_FILE": str(around.authority),
            "HTTPS_PROXY": around.proxy,
            "ACTIONS_ID_TOKEN_REQUEST_URL": around.token_url,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": around.token_secret,
        }
        done = subprocess.run(
            [FILE, *words], env=environment, cwd=around.home, capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise Failed(done.stdout + done.stderr)
        return done.stdout


@dataclass
class Requests:
    """What the program sends, in its order and with its headers."""

    around: Surroundings
    token: str = field(default="", init=False)

    def login(self, method: str, *words: str) -> None:
        match method, words:
            case "none", ():
                self.token = self._exchange("none", None)
            case "github", ("--token", given):
                self.token = self._exchange("github-at", {"github_token": given})
            case "github", ():
                self.token = self._exchange("github-at", {"github_token": self._device_flow()})
            case "github-oidc", ():
                self.token = self._exchange("github-oidc", {"oidc_token": self._id_token()})
            case _:
                raise AssertionError(method)

    def login_signed(self, method: str, domain: str, signer: Signer) -> None:
        text = stamp()
        body = {"domain": domain, "signed_timestamp": signer.sign(text), "timestamp": text}
        self.token = self._exchange(method, body)

    def publish(self, document: dict[str, Any]) -> str:
        answer = self._send("POST", "/v0/publish", document)
        if answer.status_code == 422:
            self.validate(document)
        found = self._checked(answer)
        return f"✓ Server {found['server']['name']} version {found['server']['version']}"

    def validate(self, document: dict[str, Any]) -> str:
        found = self._checked(self._send("POST", "/v0/validate", document, with_token=False))
        if not found["valid"]:
            raise Failed(
                "\n".join(f"[{each['severity']}] {each['path']} {each['message']}" for each in found["issues"])
            )
        return "server.json is valid"

    def status(self, status: str, name: str, version: str = "", message: str = "") -> str:
        path = f"/v0/servers/{quote(name, safe='')}"
        versions = f"{path}/versions" + (f"/{quote(version, safe='')}" if version else "")
        before = self._checked(self._send("GET", f"{versions}?include_deleted=true", None))
        was = before["_meta"] if version else before["servers"][0]["_meta"]
        assert was["io.modelcontextprotocol.registry/official"]["status"]
        body = {"status": status, **({"statusMessage": message} if message else {})}
        done = self._checked(self._send("PATCH", f"{versions if version else path}/status", body))
        return "Successfully updated status" if version else f"updated {done['updatedCount']} version(s)"

    def _exchange(self, proof: str, body: dict[str, str] | None) -> str:
        found = self._checked(self._send("POST", f"/v0/auth/{proof}", body, with_token=False))
        token: str = found["registry_token"]
        assert isinstance(found["expires_at"], int)
        return token

    def _device_flow(self) -> str:
        client_id = self._checked(self._send("GET", "/v0/health", None, with_token=False))["github_client_id"]
        asked = {"client_id": client_id, "scope": "read:org read:user"}
        device = self._github("/login/device/code", asked)
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        asked = {"client_id": client_id, "device_code": device["device_code"], "grant_type": grant}
        token: str = self._github("/login/oauth/access_token", asked)["access_token"]
        return token

    def _github(self, path: str, body: dict[str, str]) -> Any:
        with httpx.Client() as client:
            return client.post(self.around.github + path, json=body, headers={"Accept": "application/json"}).json()

    def _id_token(self) -> str:
        """Newer versions ask for the registry's address, older ones for "mcp-registry"."""
        url = f"{self.around.token_url}&audience={quote(self.around.registry, safe='')}"
        headers = {"Authorization": f"Bearer {self.around.token_secret}", "Accept": "application/json"}
        with httpx.Client() as client:
            token: str = client.get(url, headers=headers).json()["value"]
        return token

    def _send(self, method: str, path: str, body: Any, *, with_token: bool = True) -> httpx.Response:
        headers = {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"}
        if with_token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        with httpx.Client(base_url=self.around.registry, timeout=30) as client:
            return client.request(method, path, content=content, headers=headers)

    def _checked(self, answer: httpx.Response) -> Any:
        if answer.status_code not in (200, 201):
            raise Failed(f"server returned status {answer.status_code}: {answer.text}")
        return answer.json()
