"""The requests that a connection to a remote server has under way: a task each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from hosting.runner.remote.post import Post
from hosting.runner.remote.trouble import Cause, TroubleError

log = logging.getLogger(__name__)

_PROBES: Final = ("initialize", "server/discover")


class Posts:
    """By number. `failed` is told what went wrong with one; an error of ours is one of its errors."""

    def __init__(self, failed: Callable[[Post, TroubleError], None]) -> None:
        self._failed = failed
        self._running: dict[int, tuple[Post, asyncio.Task[None]]] = {}

    def start(self, post: Post, running: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(post, running))
        self._running[post.number] = (post, task)

        def forget(done: asyncio.Task[None]) -> None:
            if self._running.get(post.number, (None, None))[1] is done:
                del self._running[post.number]

        task.add_done_callback(forget)

    def cancel(self, number: int) -> None:
        """Nothing happens where it has ended."""
        if number in self._running:
            self._running[number][1].cancel()

    def cancel_all(self) -> list[asyncio.Task[None]]:
        """Those that are ending now."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        return tasks

    def under_way(self) -> list[Post]:
        return [post for post, _ in self._running.values()]

    async def _guarded(self, post: Post, running: Coroutine[Any, Any, None]) -> None:
        try:
            await running
        except TroubleError as trouble:
            self._failed(post, trouble)
        except Exception:
            log.exception("a request to a remote server failed", extra={"number": post.number})
            self._failed(post, TroubleError(Cause.BROKEN, "the runner failed; its log has the details"))


def ends_connection(method: str, trouble: TroubleError) -> bool:
    """A probe that says nothing of the era does, and the end of the session; any other request ends with an error."""
    if trouble.cause is Cause.SESSION:
        return True
    is_final = trouble.cause in (Cause.UNREACHABLE, Cause.SIGN_IN) or 300 <= trouble.status < 400
    if method == "initialize":
        is_final |= trouble.cause is Cause.BROKEN or trouble.status >= 500
    return method in _PROBES and is_final
