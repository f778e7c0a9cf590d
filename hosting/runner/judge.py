"""What a deployment's servers asked and nobody was shown: judged where it comes in, told to the owner, and kept until
the site has written it down."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from hosting.questions import judging
from hosting.runner.feed import Feed
from hosting.runner.placement import Pages
from hosting.runner.seen import QuestionRefused

KEPT = 20  # different ones an hour; a server that makes up more is told of in its output only
KEPT_SECONDS = 3600.0


class Judge:
    """Of one deployment. `pages` are the rules of its site and its owner, as they are now."""

    def __init__(self, feed: Feed, pages: Pages) -> None:
        self.pages = pages
        self._feed = feed
        self._refused: dict[str, QuestionRefused] = {}

    def of_question(self, instance: str, method: str, params: bytes) -> str:
        """Why a request of the child is put to nobody; "" when it may be. So are the others."""
        return self._told(instance, judging.refusal_of(method, params, self.pages))

    def of_requests(self, instance: str, requests: Mapping[str, msgspec.Raw]) -> str:
        return self._told(instance, judging.refusal_of_requests(requests, self.pages))

    def of_outcome(self, instance: str, result: bytes, error: bytes = b"") -> str:
        """Of a call's result, as `judging.plain` gives it, or its error."""
        words = judging.refusal_of_error(error, self.pages) if error else judging.refusal_of_result(result, self.pages)
        return self._told(instance, words)

    def _told(self, instance: str, words: str) -> str:
        """The owner is to know whosever instance it was: no word of this is a caller's."""
        if words:
            words = self._feed.masked(words)
            self._feed.output(instance, f"refused to ask: {words}".encode(), "protocol")
            self._keep(words)
        return words

    def _keep(self, words: str) -> None:
        now = time.time()
        self._refused = {key: one for key, one in self._refused.items() if one.at > now - KEPT_SECONDS}
        if words not in self._refused and len(self._refused) < KEPT:
            self._refused[words] = QuestionRefused(now, words)

    def seen(self) -> list[QuestionRefused]:
        return list(self._refused.values())
