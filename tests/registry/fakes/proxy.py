"""An HTTP proxy (CONNECT, RFC 9110 9.3.6) that takes programs to this machine which know no other address than the
public one of a service."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import Any


class FakeProxy:
    """`leads` are ports of this machine, by the host and port asked for. Anything else is refused."""

    def __init__(self) -> None:
        self.leads: dict[str, int] = {}
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                words = self.rfile.readline().decode().split()
                while self.rfile.readline().strip():
                    pass
                port = outer.leads.get(words[1]) if words[:1] == ["CONNECT"] else None
                if port is None:
                    self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                    return
                with socket.create_connection(("127.0.0.1", port), 10) as there:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    back = threading.Thread(target=_pass_on, args=(there, self.connection))
                    back.start()
                    _pass_on(self.connection, there)
                    back.join(10)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def _pass_on(here: Any, there: Any) -> None:
    try:
        while data := here.recv(65536):
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)
    except OSError:
        pass
