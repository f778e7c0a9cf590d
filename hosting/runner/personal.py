"""Values that each user of a deployment brings: given for one start of one user's instance, and hidden in all it says.

The site gives them when a call can't go on without (`Reason.UNPLACED`), with a mark that the call names too, so that a
value which was replaced meanwhile is asked for again. What an instance was started with is not kept for another start.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from hosting.runner import control as c
from hosting.runner.feed import MASK
from hosting.runner.frames import Open, Reason
from hosting.runner.masking import forms_of, spellings
from hosting.runner.placement import Personal, Placement
from hosting.runner.refused import RefusedError
from hosting.runner.seen import Taken
from hosting.runner.session import Session

if TYPE_CHECKING:
    from hosting.runner.runner import Runner
    from hosting.runner.upstream.messages import Message


class LackingError(Exception):
    """The user's values have to be given first."""


class OutdatedError(Exception):
    """The session's instance was started with values that its user has replaced since."""


class Personals:
    """Those of one deployment that were given and not used yet, by user."""

    def __init__(self) -> None:
        self._given: dict[str, Personal] = {}

    def give(self, personal: Personal) -> None:
        self._given[personal.subject] = personal

    def of(self, opened: Open, session: Session | None) -> Personal | None:
        """Those for a start; None where the call needs none. Raises LackingError."""
        if not opened.personal:
            return None
        personal = self._given.get(session.subject if session is not None else opened.subject)
        if personal is None or personal.mark != opened.personal:
            raise LackingError
        return personal

    def used(self, personal: Personal) -> None:
        self._given.pop(personal.subject, None)

    def drop(self, subject: str) -> bool:
        return self._given.pop(subject, None) is not None

    def clear(self) -> None:
        self._given.clear()


def placement_with(placement: Placement, personal: Personal) -> Placement:
    """The placement as that user's instance is started."""
    return msgspec.structs.replace(
        placement,
        argv=personal.argv,
        env=personal.env,
        remote=personal.remote,
        files=personal.files,
        masked=[*placement.masked, *personal.masked, *personal.tokens],
    )


# --- hiding


class Hidden:
    """Exact values, as JSON may spell them, in what an instance says. `mark` is theirs."""

    def __init__(self, values: list[str], mark: str = "") -> None:
        self.mark = mark
        forms = {form for value in values for form in forms_of(value)}
        self._values = sorted(forms, key=len, reverse=True)
        self._spelled = [text.encode() for text in {text for form in forms for text in spellings(form)}]

    def raw(self, body: bytes) -> bytes:
        """The raw JSON without them. What has none of them passes byte for byte.

        Raises msgspec.DecodeError for what has one and can't be taken apart: its numbers may have thousands of digits.
        """
        if not any(form in body for form in self._spelled):
            return body
        try:
            found = json.loads(body)
        except ValueError as error:
            raise msgspec.DecodeError("it has a number that is too long") from error
        return json.dumps(self._walked(found), ensure_ascii=False, separators=(",", ":")).encode()

    def message(self, message: Message) -> None:
        for name in ("params", "result", "error"):
            body = getattr(message, name)
            if body is not msgspec.UNSET:
                setattr(message, name, msgspec.Raw(self.raw(bytes(body))))

    def _walked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._masked(value)
        if isinstance(value, dict):
            return {self._masked(key): self._walked(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._walked(one) for one in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return MASK if self._masked(text := json.dumps(value)) != text else value
        return value

    def _masked(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        return text


def hidden_of(placement: Placement, *more: str) -> Hidden | None:
    """All secrets that an instance has: values, the token of an account elsewhere, and `more`. None for none."""
    bearer = placement.remote.bearer if placement.remote is not None else ""
    values = [value for value in (*placement.masked, bearer, *more) if value]
    return Hidden(values) if values else None


# --- what the site tells


def place_personal(runner: Runner, operation: c.PlacePersonal) -> Taken:
    known = runner.placed.get(operation.deployment)
    if known is None or known.is_leaving:
        raise RefusedError(Reason.UNPLACED)
    placement = known.placement
    if (placement.epoch, placement.generation) != (operation.epoch, operation.generation):
        raise RefusedError(Reason.UNPLACED, "another version is placed here")
    known.give(operation.personal)
    return Taken()


def forget_personal(runner: Runner, operation: c.ForgetPersonal) -> Taken:
    """The user's values are others now, or none: what was started with the old ones ends. Subject "": everybody's."""
    known = runner.placed.get(operation.deployment)
    if known is None:
        return Taken(first=False)
    whose, had = operation.subject, False
    if whose:
        had = known.personals.drop(whose)
    else:
        known.personals.clear()
    theirs = [one for one in known.instances.values() if one.hidden is not None and whose in ("", one.who)]
    for instance in theirs:
        runner.stop_instance(instance, operation.reason)
    return Taken(first=had or bool(theirs))


def open_session(runner: Runner, operation: c.OpenSession) -> Taken:
    """A legacy session whose instance starts with its first call that can be served."""
    if runner.draining:
        raise RefusedError(Reason.DRAINING, "the runner takes nothing new")
    if operation.deployment not in runner.placed:
        raise RefusedError(Reason.UNPLACED)
    if operation.session in runner.sessions:
        runner.own_session(operation.session, operation.owner)
        return Taken(first=False)
    runner.sessions[operation.session] = Session(
        operation.session,
        owner=operation.owner,
        deployment=operation.deployment,
        revision=operation.revision,
        capabilities=operation.capabilities,
        client=operation.client,
        channel=runner.new_log(f"session:{operation.session}", operation.owner),
        subject=operation.subject,
    )
    return Taken()
