"""Others on the web: hosts with documents, keys and identity providers, over real TLS, on a port of this machine."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.runner.egress.peers import certificate

Answer = tuple[int, dict[str, str], bytes]


class WebHost:
    """Answers by path what a test puts into `pages`, and counts what it was asked."""

    def __init__(self, folder: Path, name: str = "localhost") -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[str] = []
        pair, self.authority = certificate(folder, name, "127.0.0.1")
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                status, headers, body = host.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for field, value in headers.items():
                    self.send_header(field, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"https://{name}:{self.port}"

    def put(self, path: str, said: Any, status: int = 200, **headers: str) -> str:
        """The URL. `said` is JSON, or bytes as they are."""
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        fields = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.pages[path] = (status, fields, body)
        return self.url + path

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
