"""The floor: a plain ASGI app that reads the same envelope and answers the same tool's result, and does nothing else.

uvicorn benchmarks.endpoint.asgi_echo:application
"""

from __future__ import annotations

from typing import Any

import msgspec


class _Call(msgspec.Struct):
    name: str
    arguments: dict[str, msgspec.Raw]


class _Envelope(msgspec.Struct):
    id: msgspec.Raw
    params: _Call


_decode = msgspec.json.Decoder(_Envelope).decode


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    envelope = _decode(body)
    answer = b'{"jsonrpc":"2.0","id":%b,"result":{"content":[{"type":"text","text":%b}]}}' % (
        bytes(envelope.id),
        bytes(envelope.params.arguments["text"]),
    )
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
