"""How long every page takes on the server and how many queries it asks, with 105,000 versions in the registry.

python -m benchmarks.pages.times FOLDER [--times 20] [--hold FILE]
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.pages.site import SERVERS, VERSIONS, Grown, grown
from benchmarks.registry.priority import in_front

MOST_MS, MOST_QUERIES = 80, 12


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, help="where the site's data is kept; made the first time")
    arguments.add_argument("--times", type=int, default=20, help="how often each page is fetched")
    arguments.add_argument("--servers", type=int, default=SERVERS)
    arguments.add_argument("--versions", type=int, default=VERSIONS)
    arguments.add_argument("--only", default="", help="pages whose name has this in it")
    arguments.add_argument("--hold", type=Path, help="a file that is there while it measures")
    arguments.add_argument("--in-front", action="store_true", help="of everything else on the machine; as root")
    given = arguments.parse_args()
    with grown(given.folder, given.servers, given.versions) as site:
        if given.hold:
            given.hold.touch()
        try:
            with in_front(site.pid, is_wanted=given.in_front):
                measured(site, given.times, given.only)
        finally:
            if given.hold:
                given.hold.unlink(missing_ok=True)


def measured(site: Grown, times: int, only: str = "") -> None:
    """One request at a time over one connection; the first of each page is not counted."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    slow = []
    print("| page | queries | least ms | p50 ms | p95 ms |\n|---|---|---|---|---|", flush=True)
    for name, path in site.pages:
        if only not in name:
            continue
        found = [fetched(connection, path, site.cookie) for _ in range(times + 1)][1:]
        p50, p95 = statistics.median(found), statistics.quantiles(found, n=20)[18]
        if p95 > MOST_MS or site.queries[path] > MOST_QUERIES:
            slow.append(path)
        print(f"| {name} | {site.queries[path]} | {min(found):.1f} | {p50:.1f} | {p95:.1f} |", flush=True)
    print(f"over {MOST_MS} ms or {MOST_QUERIES} queries: {', '.join(slow) or 'none'}", flush=True)


def fetched(connection: http.client.HTTPConnection, path: str, cookie: str) -> float:
    """Milliseconds until the last octet is here. Fails when the answer is no page."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
