"""The base of all views of the API, and how an operation is described."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.bodies import check_length
from common.api.problems import CONTENT_TYPE

KIB = 1024
View = TypeVar("View", bound=Callable[..., Response])
Shape = type[serializers.Serializer[Any]]


class ApiView(APIView):
    """`scopes` are what a token needs to read and to write; `max_body` is in bytes."""

    scopes: ClassVar[tuple[str, str]]
    max_body: ClassVar[int] = 512 * KIB

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        check_length(request, self.max_body)  # first: looking for a CSRF token reads the body
        super().initial(request, *args, **kwargs)

    def scope_of(self, method: str) -> str:
        return self.scopes[0] if method in SAFE_METHODS else self.scopes[1]


class FieldProblem(serializers.Serializer[Any]):
    field = serializers.CharField(allow_blank=True, help_text="Its path in the body or query.")
    detail = serializers.CharField()
    code = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField(help_text="Names the kind of problem, as a URL.")
    title = serializers.CharField(help_text="The HTTP status in words.")
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Names the kind of problem, for programs.")
    detail = serializers.CharField(help_text="What happened, and what to do.")
    errors = FieldProblem(  # type: ignore[assignment]  # no Serializer.errors
        many=True, required=False, help_text="What is wrong with which field."
    )
    info = serializers.JSONField(required=False, help_text="Figures that belong to it, such as those of a quota.")


PROBLEMS = {
    400: "What was sent is not valid.",
    401: "No token or session, or one that opens nothing.",
    403: "The token lacks the scope, or the account the permission or quota.",
    404: "There is no such thing, or it isn't yours.",
    409: "It is not in a state that allows this, or exists already.",
    411: "The body does not say how long it is.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    429: "Too many requests; Retry-After says when to come back.",
    503: "A part of the site does not answer; Retry-After says when to come back.",
}
_ALWAYS = (401, 403, 429, 503)
_WITH_BODY = (400, 411, 413, 415)


def operation(
    name: str,
    summary: str,
    *,
    tag: str,
    response: Shape | None = None,
    status: int = 200,
    request: Shape | dict[str, Shape] | None = None,
    query: Shape | None = None,
    problems: Iterable[int] = (),
    description: str = "",
    done: str = "",
    example: dict[str, Any] | None = None,
    media_type: str = "",
) -> Callable[[View], View]:
    """Describes one operation for the schema. `name` is its operationId, unique in all; `done` what success means.

    `media_type`: its answer is a file of that type.
    """
    body = _WITH_BODY if request is not None else ()
    asked = (400,) if query is not None else ()
    statuses = sorted({*_ALWAYS, *problems, *body, *asked})
    shape: Any = OpenApiTypes.BINARY if media_type else response
    key = (status, media_type) if media_type else status
    responses: dict[Any, Any] = {key: OpenApiResponse(shape, description=done or "Done.")}
    responses |= {(each, CONTENT_TYPE): OpenApiResponse(Problem, description=PROBLEMS[each]) for each in statuses}
    decorate: Callable[[View], View] = extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=[tag],
        request=request,
        parameters=[query] if query is not None else [],
        responses=responses,
        examples=[OpenApiExample("request", example, request_only=True, media_type="application/json")]
        if example
        else [],
    )
    return decorate


def in_path(**described: str) -> Callable[[type[ApiView]], type[ApiView]]:
    """Describes parameters of the path that all operations of a view have: a class decorator."""
    parameters = [
        OpenApiParameter(name, str, OpenApiParameter.PATH, description=text) for name, text in described.items()
    ]
    decorate: Callable[[type[ApiView]], type[ApiView]] = extend_schema(parameters=parameters)
    return decorate
