"""A PostgreSQL of its own with the entries of a file: one server.json a line, gzipped or not."""

from __future__ import annotations

import contextlib
import gzip
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec


def documents(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        for line in lines:
            found = msgspec.json.decode(line)
            yield found.get("server", found) if isinstance(found, dict) else {}


@contextlib.contextmanager
def django_site() -> Iterator[Path]:
    """Django set up on an empty database that goes away at the end."""
    with tempfile.TemporaryDirectory(prefix="slipway-registry-") as folder:
        home = Path(folder)
        os.environ["SLIPWAY_HOME"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.local"
        os.environ["SLIPWAY_PART"] = "shell"
        import django

        django.setup()
        from django.core.management import call_command

        from tests.services import services

        with services(home):
            call_command("migrate", verbosity=0)
            yield home


def load(path: Path) -> int:
    """Every document as a version, the last of each name as the latest. Returns how many servers."""
    from django.db import connection

    from registry.models import Server, ServerVersion
    from registry.search.indexing import index_all

    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in documents(path):
        if isinstance(one.get("name"), str) and "/" in one["name"]:
            found.setdefault(one["name"], {})[str(one.get("version", ""))] = one
    servers = Server.objects.bulk_create([Server(name=name, folded=name.lower()) for name in found], batch_size=1000)
    versions = []
    for server in servers:
        of_server = list(found[server.name].items())
        for place, (version, document) in enumerate(of_server, 1):
            text = msgspec.json.encode(document).decode().replace("\\u0000", "")
            versions.append(
                ServerVersion(
                    server=server,
                    name=server.name,
                    version=version,
                    document=text,
                    is_latest=place == len(of_server),
                )
            )
    ServerVersion.objects.bulk_create(versions, batch_size=1000)
    index_all()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE registry_searchentry")
        cursor.execute("ANALYZE registry_searchword")
    return len(servers)
