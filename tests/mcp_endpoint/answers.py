"""Answers as clients of the protocol take them: plain JSON, or a stream where the result took longer than a moment.

Which of the two it is lies with the machine (`JSON_SECONDS`), and is what a test looks at only where it is about that.
"""

from __future__ import annotations

import json
from typing import Any

import httpx


class Answer(httpx.Response):
    def json(self, **options: Any) -> Any:
        """The message, of a stream the last one, which is the outcome; for a batch, the response to each request."""
        if not self.headers.get("content-type", "").startswith("text/event-stream"):
            return super().json(**options)
        if not self.request.content.startswith(b"["):
            return json.loads(last_of(self.text))
        return [message for message in map(json.loads, _messages(self.text)) if "method" not in message]


def last_of(stream: str) -> str:
    """The last message of server-sent events."""
    return _messages(stream)[-1]


def _messages(stream: str) -> list[str]:
    return [line[6:] for line in stream.split("\n") if line.startswith("data: {")]


async def taken(response: httpx.Response) -> None:
    """A hook of httpx clients."""
    response.__class__ = Answer
