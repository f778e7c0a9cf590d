"""`/readyz` and `/metrics`: whether the parts of this installation are there, for probes, people and Prometheus.

`/healthz` (this process answers) stands in config/asgi.py. Details are for loopback and for bearers of `METRICS_TOKEN`;
everybody else learns only whether the site is ready, since names and counts of parts are an operator's business.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common import clock
from config import env
from hosting.models import Deployment, Instance, Runner

SILENT_AFTER = timedelta(seconds=15)
_TOKEN = env.text("METRICS_TOKEN", "")


def may_see_details(request: HttpRequest) -> bool:
    """Loopback without a proxy in between, or the operator's token."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if _TOKEN and hmac.compare_digest(given.encode(), _TOKEN.encode()):
        return True
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def database_state() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"not answering: {type(error).__name__}"
    return "ok"


def broker_state() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        return f"not answering: {type(error).__name__}"
    finally:
        client.close()
    return "ok"


def runners_state() -> str:
    """The reconciler writes `last_seen_at`, so a fresh one shows that worker, beat and runner are all there."""
    try:
        fresh = Runner.objects.filter(state=Runner.Status.LIVE, last_seen_at__gt=clock.now() - SILENT_AFTER).count()
    except DatabaseError:
        return "unknown: the database does not answer"
    return "ok" if fresh else "no runner was seen by a worker in the last 15 s"


PARTS: dict[str, Callable[[], str]] = {
    "database": database_state,
    "broker": broker_state,
    "runners": runners_state,
}


@never_cache
@require_GET
def readyz(request: HttpRequest) -> HttpResponseBase:
    """200 when every part answers, otherwise 503; with details the parts one by one, in words."""
    parts = {name: state() for name, state in PARTS.items()}
    is_ready = all(state == "ok" for state in parts.values())
    body: dict[str, object] = {"status": "ready" if is_ready else "not ready"}
    if may_see_details(request):
        body["parts"] = parts
    return JsonResponse(body, status=200 if is_ready else 503)


class SiteCollector(Collector):
    """Gauges that are rows: read when asked for, so that every web process gives the same answer."""

    def collect(self) -> Iterator[Metric]:
        deployments = GaugeMetricFamily("slipway_deployments", "Deployments by state", labels=["state"])
        for state, count in Deployment.objects.values_list("state").annotate(count=Count("pk")).order_by():
            deployments.add_metric([state], count)
        yield deployments
        instances = GaugeMetricFamily("slipway_instances", "Instances by runner and state", labels=["runner", "state"])
        rows = Instance.objects.values_list("runner__name", "state").annotate(count=Count("pk")).order_by()
        for runner, state, count in rows:
            instances.add_metric([runner, state], count)
        yield instances
        silence = GaugeMetricFamily("slipway_runner_silence_seconds", "Since a runner last answered", labels=["runner"])
        now = clock.now()
        for name, seen_at in Runner.objects.values_list("name", "last_seen_at"):
            silence.add_metric([name], (now - seen_at).total_seconds())
        yield silence


def _details_only(view: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if not may_see_details(request):
            text = "Metrics are for loopback, or with METRICS_TOKEN as bearer token.\n"
            return HttpResponse(text, status=403, content_type="text/plain")
        return view(request)

    return guarded


@never_cache
@require_GET
@_details_only
def metrics(request: HttpRequest) -> HttpResponseBase:
    """The Prometheus text format: this process's counters, and the site's gauges."""
    site = CollectorRegistry()
    site.register(SiteCollector())
    return HttpResponse(generate_latest(REGISTRY) + generate_latest(site), content_type=CONTENT_TYPE_LATEST)


urlpatterns = [
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
