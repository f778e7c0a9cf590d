"""REDIS_URL as Celery wants it: the same server, in kombu's dialect."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def celery_broker_url(redis_url: str) -> str:
    parts = urlsplit(redis_url)
    query = dict(parse_qsl(parts.query))
    scheme = parts.scheme
    if scheme == "unix":
        scheme = "redis+socket"
        if "db" in query:
            query["virtual_host"] = query.pop("db")
    elif scheme == "rediss":
        query.setdefault("ssl_cert_reqs", "required")  # redis-py's default; kombu wants it said
    rebuilt = urlunsplit((scheme, parts.netloc, parts.path, urlencode(query), ""))
    # urlunsplit leaves out the empty host of a socket's address, which kombu needs to see.
    return rebuilt if "://" in rebuilt else rebuilt.replace(":/", ":///", 1)
