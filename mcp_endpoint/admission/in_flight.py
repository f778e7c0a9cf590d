"""Requests in flight in this process, counted per principal and per deployment.

So one client can't take the whole process, and one slow server can't keep everybody's memory. What follows a log for
as long as the client likes (GET, subscriptions/listen) is counted by `streams` instead.
"""

from __future__ import annotations

from common.errors import AppError, Unavailable
from mcp_endpoint.admission.limits import CALLS_PER_DEPLOYMENT, CALLS_PER_PRINCIPAL


class TooManyCallsError(AppError):
    status = 429
    retry_after = 1

    def __init__(self, most: int) -> None:
        message = f"{most} of your requests to this server are still open. Wait for some of them to end."
        super().__init__("calls", message)


class InFlight:
    def __init__(self, per_principal: int = CALLS_PER_PRINCIPAL, per_deployment: int = CALLS_PER_DEPLOYMENT) -> None:
        self._per_principal = per_principal
        self._per_deployment = per_deployment
        self._principals: dict[str, int] = {}
        self._deployments: dict[str, int] = {}

    @property
    def count(self) -> int:
        return sum(self._deployments.values())

    def enter(self, principal: str, deployment: str, calls: int = 1) -> None:
        """Raises TooManyCallsError or Unavailable; then there is nothing to leave."""
        theirs = self._principals.get(principal, 0) + calls
        if theirs > self._per_principal:
            raise TooManyCallsError(self._per_principal)
        all_of_them = self._deployments.get(deployment, 0) + calls
        if all_of_them > self._per_deployment:
            message = f"{self._per_deployment} requests to this server are open already. Try again shortly."
            raise Unavailable("calls", message, retry_after=1)
        self._principals[principal] = theirs
        self._deployments[deployment] = all_of_them

    def leave(self, principal: str, deployment: str, calls: int = 1) -> None:
        left = self._principals[principal] - calls
        if left:
            self._principals[principal] = left
        else:
            del self._principals[principal]
        left = self._deployments[deployment] - calls
        if left:
            self._deployments[deployment] = left
        else:
            del self._deployments[deployment]
