"""The first conversation with a started child: until its era is known, it exits, or its time is up."""

from __future__ import annotations

import asyncio
import logging

from hosting.runner.child import Child
from hosting.runner.dialogue import Dialogue
from hosting.runner.remote.connection import RemoteConnection
from hosting.runner.upstream.base import Client, HandshakeError, Peer, Upstream, WrongEraError, is_modern
from hosting.runner.upstream.probe import negotiate

log = logging.getLogger(__name__)


class GaveUpError(Exception):
    """The child lives, and can't be spoken to; the message says why, as the rest of a sentence about it."""


class EndedAtProbeError(Exception):
    """The child was asked as a modern server and is gone: some of the first servers end at a method they don't know."""


async def greet(
    peer: Peer, dialogue: Dialogue, child: Child | RemoteConnection, client: Client, *, known: str, seconds: float
) -> Upstream | None:
    """The adapter for the child's era, None when it exited. Raises GaveUpError, WrongEraError and EndedAtProbeError."""
    exited = asyncio.create_task(child.process.wait())
    talk = asyncio.create_task(negotiate(peer, dialogue.ask, client, known, seconds))
    try:
        await asyncio.wait({exited, talk}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if talk.done():
            return talk.result()
        if exited.done():
            if not known and is_modern(client.revision):
                raise EndedAtProbeError
            return None
        raise GaveUpError(f"did not answer within {seconds:g} s of its start{dialogue.rubbish_words()}")
    except WrongEraError:
        raise
    except HandshakeError as error:
        raise GaveUpError(f"is no MCP server that can be spoken to: {error}") from None
    except TimeoutError:
        raise GaveUpError(f"did not answer in time{dialogue.rubbish_words()}") from None
    except asyncio.CancelledError:
        if not talk.cancelled():
            raise
        return None
    finally:
        talk.cancel()
        exited.cancel()
