"""A name server on this machine, over UDP and TCP: the zones of a test."""

from __future__ import annotations

import socket
import struct
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

UDP_BYTES = 512  # larger answers are cut off, so that the resolver comes back by TCP (RFC 7766)


class FakeDns:
    """`records` are by name and type; a name with none does not exist. `asked` has what was asked for."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.silent: set[str] = set()  # names that are never answered
        self.failing: set[str] = set()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._bind()
        self._threads = [threading.Thread(target=self._serve_udp), threading.Thread(target=self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self._udp.getsockname()[1]}"

    def put(self, name: str, kind: str, *values: str) -> None:
        """TXT values are given without quotes."""
        found = [_quoted(value) if kind == "TXT" else value for value in values]
        self.records.setdefault((name.lower(), kind), []).extend(found)

    def stop(self) -> None:
        port = self._udp.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waking:
            waking.sendto(b"", ("127.0.0.1", port))
        self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._udp.close()
        self._tcp.close()

    def _bind(self) -> None:
        """Both on one port."""
        while True:
            self._udp.bind(("127.0.0.1", 0))
            try:
                self._tcp.bind(self._udp.getsockname())
                break
            except OSError:
                self._udp.close()
                self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp.listen(16)

    def _serve_udp(self) -> None:
        while True:
            question, sender = self._udp.recvfrom(4096)
            if not question:
                return
            answer = self._answer(question)
            if answer is None:
                continue
            wire = answer.to_wire()
            if len(wire) > UDP_BYTES:
                short = dns.message.make_response(dns.message.from_wire(question))
                short.flags |= dns.flags.TC
                wire = short.to_wire()
            self._udp.sendto(wire, sender)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                head = connection.recv(2)
                if len(head) == 2:
                    answer = self._answer(connection.recv(struct.unpack("!H", head)[0]))
                    if answer is not None:
                        wire = answer.to_wire()
                        connection.sendall(struct.pack("!H", len(wire)) + wire)

    def _answer(self, wire: bytes) -> dns.message.Message | None:
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        if name in self.silent:
            return None
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if name in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif values := self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


def _quoted(text: str) -> str:
    """Strings of at most 255 octets each (RFC 1035, 3.3)."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, max(len(text), 1), 255))
