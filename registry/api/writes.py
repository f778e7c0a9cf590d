"""What writes do, in a thread with Django's connection. Each gives the body of its answer, or raises Problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import DatabaseError, InterfaceError, close_old_connections

from common.errors import AppError, Unavailable
from registry import editing, publishing, statuses
from registry.api import auth, identity
from registry.api.bodies import json_of, status_of, unbound
from registry.api.entries import Row, entry
from registry.api.indexes import indexes
from registry.api.paths import Route
from registry.api.problems import Detail, Problem, invalid
from registry.errors import DocumentInvalid, DocumentUnbound
from registry.models import ServerVersion
from registry.server_json import validation
from registry.statuses import Wanted

Headers = dict[bytes, bytes]
_VERBS = {"publish": "publish", "edit": "edit", "status": "update", "statuses": "update"}


def write(route: Route, headers: Headers, content: bytes) -> bytes:
    """`headers` by name in lower case. Raises Problem."""
    with _connection():
        try:
            return _OPERATIONS[route.operation](route, headers, content)
        except AppError as error:
            raise _problem(route, error) from error


def validate(content: bytes) -> bytes:
    """Needs no database. Raises Problem."""
    document = json_of(content)
    breaches = validation.binding(document, needs_schema=False)
    if breaches:
        raise unbound(breaches)
    issues = validation.all_issues(document, indexes())
    found = {"valid": not any(issue.is_error for issue in issues), "issues": [issue.to_json() for issue in issues]}
    return msgspec.json.encode(found)


def _publish(route: Route, headers: Headers, content: bytes) -> bytes:
    document = _bound(content)
    publisher = identity.publisher_of(headers)
    return _entry(publishing.version_publish(publisher=publisher, document=document))


def _edit(route: Route, headers: Headers, content: bytes) -> bytes:
    document = _bound(content)
    publisher = identity.publisher_of(headers)
    return _entry(editing.version_edit(publisher=publisher, name=route.name, version=route.version, document=document))


def _status(route: Route, headers: Headers, content: bytes) -> bytes:
    wanted = _wanted(headers, content)
    publisher = identity.publisher_of(headers)
    return _entry(
        statuses.version_status_set(publisher=publisher, name=route.name, version=route.version, wanted=wanted)
    )


def _statuses(route: Route, headers: Headers, content: bytes) -> bytes:
    wanted = _wanted(headers, content)
    publisher = identity.publisher_of(headers)
    rows = statuses.server_status_set(publisher=publisher, name=route.name, wanted=wanted)
    entries = ",".join(entry(_row(row)) for row in rows)
    return f'{{"updatedCount":{len(rows)},"servers":[{entries}]}}'.encode()


def _auth(route: Route, headers: Headers, content: bytes) -> bytes:
    return msgspec.json.encode(auth.exchange(route.proof, content))


_OPERATIONS: dict[str, Callable[[Route, Headers, bytes], bytes]] = {
    "publish": _publish,
    "edit": _edit,
    "status": _status,
    "statuses": _statuses,
    "auth": _auth,
}


def check_header(route: Route, headers: Headers) -> None:
    """A missing header does not bind, which is another thing than a bad one. Raises Problem."""
    if b"authorization" not in headers and route.operation != "auth":
        raise invalid([Detail("required header parameter is missing", "header.Authorization")])


def _bound(content: bytes) -> dict[str, Any]:
    return publishing.check_binds(json_of(content))


def _wanted(headers: Headers, content: bytes) -> Wanted:
    found = status_of(content)
    return Wanted(found["status"], found.get("statusMessage"))


def _entry(row: ServerVersion) -> bytes:
    return entry(_row(row)).encode()


def _row(row: ServerVersion) -> Row:
    return Row(
        row.document,
        row.status,
        row.status_message,
        row.status_changed_at,
        row.published_at,
        row.updated_at,
        row.is_latest,
    )


def _problem(route: Route, error: AppError) -> Problem:
    """The cause of a refusal stands in `errors`, where mcp-publisher shows it from."""
    if isinstance(error, DocumentUnbound):
        return unbound(error.breaches)
    if isinstance(error, DocumentInvalid):
        causes = [Detail(one.message, f"body.{one.path}") for one in error.issues if one.is_error]
        words = f"Failed to {_VERBS[route.operation]} server, invalid server.json. Call /v0.1/validate for details."
        return Problem(422, words, causes)
    if isinstance(error, Unavailable):
        return Problem(503, error.message, headers={"Retry-After": str(error.retry_after)})
    if error.status in (401, 403, 404):
        return Problem(error.status, error.message)
    return Problem(400, f"Failed to {_VERBS[route.operation]} server", [Detail(error.message)])


@contextmanager
def _connection() -> Iterator[None]:
    """Django closes broken and old connections around requests; these threads see none."""
    close_old_connections()
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        words = "The registry's database does not answer. Try again shortly."
        raise Problem(503, words, headers={"Retry-After": "5"}) from error
    finally:
        close_old_connections()
