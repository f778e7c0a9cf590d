"""A registry of container images (OCI distribution 1.1) with token authentication, as Docker Hub and GitHub have it."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from tests.registry.fakes.indexes import as_json
from tests.registry.fakes.web import Request, Response

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
AMD64 = {"architecture": "amd64", "os": "linux"}


class FakeImages:
    """`put` pushes an image and gives its digest; `private` ones are not given to strangers."""

    def __init__(self) -> None:
        self.url = ""
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.private: set[str] = set()
        self.tokens: dict[str, str] = {}
        self.is_open = False  # asks nobody for a token
        self.status = 0
        self.retry_after = ""

    def put(self, path: str, tag: str, labels: dict[str, str] | None, **config: Any) -> str:
        inner = {"architecture": "amd64", "os": "linux", "config": {"Labels": labels}, **config}
        body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": self._blob(inner), "layers": []})
        return self._manifest(path, tag, MANIFEST, body.encode())

    def put_index(self, path: str, tag: str, *entries: tuple[str, dict[str, str] | None]) -> str:
        """Of images that were pushed, by digest, with the platform of each."""
        listed = [
            {"mediaType": MANIFEST, "digest": digest, "size": 1, **({"platform": platform} if platform else {})}
            for digest, platform in entries
        ]
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})
        return self._manifest(path, tag, INDEX, body.encode())

    def answer(self, request: Request) -> Response:
        if self.status:
            more = {"Retry-After": self.retry_after} if self.retry_after else {}
            return Response(self.status, b"{}", more)
        if request.path == "/token":
            return self._token(request)
        parts = request.path.strip("/").split("/")
        if parts[0] != "v2" or len(parts) < 4:
            return Response(404)
        path, kind, wanted = "/".join(parts[1:-2]), parts[-2], parts[-1]
        if not self.is_open and self.tokens.get(request.bearer) != path:
            challenge = f'Bearer realm="{self.url}/token",service="images.test",scope="repository:{path}:pull"'
            return Response(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"WWW-Authenticate": challenge})
        if kind == "blobs":
            found = self.blobs.get(wanted)
            return Response(404) if found is None else Response(200, found)
        kind_and_body = self.manifests.get((path, wanted))
        if kind_and_body is None or kind_and_body[0] not in request.headers.get("accept", ""):
            return as_json({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
        return Response(200, kind_and_body[1], {"Content-Type": kind_and_body[0]})

    def _token(self, request: Request) -> Response:
        kind, path, actions = request.query["scope"].split(":")
        if path in self.private or (kind, actions) != ("repository", "pull"):
            return as_json({"errors": [{"code": "DENIED"}]}, 401)
        made = secrets.token_hex(8)
        self.tokens[made] = path
        return as_json({"token": made, "expires_in": 300})

    def _blob(self, found: Any) -> dict[str, Any]:
        body = json.dumps(found).encode()
        digest = digest_of(body)
        self.blobs[digest] = body
        return {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(body)}

    def _manifest(self, path: str, tag: str, kind: str, body: bytes) -> str:
        digest = digest_of(body)
        self.manifests[path, tag] = self.manifests[path, digest] = (kind, body)
        return digest


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
