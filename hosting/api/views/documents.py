"""The API's own description, its entrance, and what answers addresses that are nobody's."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from common.api.views import PROBLEMS
from hosting.api.problem_codes import GROUPS
from hosting.api.reference import Reference, reference_of
from oauth import scopes


@cache
def schema() -> dict[str, Any]:
    """The OpenAPI document: the same for everybody, and as long as the process lives."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


@cache
def _schema_json() -> bytes:
    rendered: bytes = OpenApiJsonRenderer().render(schema())
    return rendered


@require_safe
def schema_document(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_schema_json(), content_type="application/vnd.oai.openapi+json")


@cache
def _reference() -> Reference:
    return reference_of(schema())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """For people, without a script: everybody may read what the API can do."""
    return render(request, "api/docs.html", {"body": _body()})


@cache
def _body() -> SafeString:
    """The same for everybody, and long: rendered once, in English as the document itself."""
    shown = {"reference": _reference(), "problems": PROBLEMS, "codes": GROUPS, "scopes": scopes.API}
    with override("en"):
        return render_to_string("api/_reference.html", shown)


def warm_up() -> None:
    """Makes both documents, so that nobody has to wait for them."""
    _schema_json()
    _body()


@require_safe
def entrance(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/api/docs")


@extend_schema(exclude=True)
class UnknownView(APIView):
    """Any other address below /api: the same problem whatever the method, for everybody."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is nothing at this address. What there is stands at /api/docs.")

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        raise NotFound
