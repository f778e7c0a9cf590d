"""What one authenticated request carries through the endpoint, and the parts that all requests share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_endpoint.admission.auth import Principal
from mcp_endpoint.admission.in_flight import InFlight
from mcp_endpoint.delivery import Delivery, View
from mcp_endpoint.directory import Key
from mcp_endpoint.personal.persons import Asking, Persons
from mcp_endpoint.runners import Runners
from mcp_endpoint.sealed.request_state import States
from mcp_endpoint.sealed.sessions import Sessions
from mcp_endpoint.sources import Source
from mcp_endpoint.streams import Stream, Streams
from mcp_endpoint.tasks.service import Tasks
from mcp_endpoint.tools.tool_headers import ToolHeaders
from mcp_endpoint.tools.tool_policy import ToolPolicies
from mcp_endpoint.wire.answer import Answer
from mcp_endpoint.wire.headers import Fields

if TYPE_CHECKING:
    from hosting.routing import Route
    from hosting.runner.frames import Event


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that live as long as the process."""

    runners: Runners
    streams: Streams
    sessions: Sessions
    states: States
    tool_headers: ToolHeaders
    in_flight: InFlight
    tool_policies: ToolPolicies
    tasks: Tasks
    persons: Persons
    hold_seconds: float  # that a call waits for a page which its client was sent to before


@dataclass(slots=True)
class Context:
    """One request whose principal may use the deployment. `owner` is what runners know the principal by."""

    services: Services
    answer: Answer
    fields: Fields
    principal: Principal
    key: Key
    route: Route
    owner: str
    personal: str = ""  # the mark of the user's own values that an instance is started with
    asking: Asking | None = None  # how the client is asked for what its user lacks, None where that is nothing

    @property
    def isolation(self) -> str:
        """Whose instance a stateless request runs on: "" asks for one that keeps nothing of anybody."""
        return "" if self.principal.is_anonymous else self.owner

    @property
    def subject(self) -> str:
        """Whose data folder an instance is given, if it is given one."""
        return "" if self.principal.is_anonymous else self.principal.sub

    async def deliver(self, source: Source, view: View, first: Event | None) -> None:
        stream = Stream(source, self.principal, self.key, comes_back=view.comes_back, polls=view.polls)
        await Delivery(self.answer, source, view, stream).run(self.services.streams, first)
