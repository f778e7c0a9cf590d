"""Ways to run an instance. `choose` is the one door; the insecure way opens only by its name."""

from __future__ import annotations

import asyncio
import atexit
import logging

from hosting.runner.runtimes.base import Runtime, SandboxUnavailable
from hosting.runner.runtimes.bubblewrap import Bubblewrap
from hosting.runner.runtimes.insecure import WORDS, Insecure

log = logging.getLogger(__name__)


def choose(name: str, *, is_known: bool = False) -> Runtime:
    """The runtime of that name, tried out unless it `is_known` to work. Call it where no loop runs yet.

    Raises SandboxUnavailable with the reason and what to do, ValueError for another name.
    """
    if name == "insecure":
        log.warning("sandbox: %s", WORDS)
        return Insecure()
    if name != "bubblewrap":
        raise ValueError(f"there is no sandbox {name!r}; known are bubblewrap and insecure")
    runtime = Bubblewrap()
    if is_known:
        atexit.register(runtime.close)
        return runtime
    verdict = asyncio.run(runtime.check())
    if not verdict.is_able:
        runtime.close()
        raise SandboxUnavailable(
            f"this machine can't sandbox hosted servers: {verdict.words}."
            " To host without protection, set SLIPWAY_SANDBOX=insecure."
        )
    atexit.register(runtime.close)  # a runner's own groups; not run over execv, when they go on
    log.info("sandbox: %s", verdict.words)
    return runtime
