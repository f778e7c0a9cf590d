"""An object store that speaks as much of S3 over HTTP as results of tasks need: put, get, head and delete."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeS3(ThreadingHTTPServer):
    """`objects` by path, "/bucket/key"."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeS3

    @property
    def _key(self) -> str:
        return self.path.partition("?")[0]

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        found = b""  # "Signature calculations: Transferring payload in multiple chunks": size, CRLF, octets, CRLF
        while body:
            head, _, rest = body.partition(b"\r\n")
            size = int(head.partition(b";")[0], 16)
            if not size:
                break
            found, body = found + rest[:size], rest[size + 2 :]
        return found

    def _answer(self, status: int, body: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT")
        self.send_header("ETag", '"0"')
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.server.objects[self._key] = self._body()
        self._answer(200)

    def do_GET(self) -> None:
        found = self.server.objects.get(self._key)
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, found)

    def do_HEAD(self) -> None:
        found = self.server.objects.get(self._key)
        self._answer(404 if found is None else 200, length=len(found or b""))

    def do_DELETE(self) -> None:
        self.server.objects.pop(self._key, None)
        self._answer(204)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def fake_s3() -> Iterator[FakeS3]:
    server = FakeS3()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
