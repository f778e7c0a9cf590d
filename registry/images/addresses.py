"""Which address a picture of a README or of a document has. Pure.

Nothing else is ever fetched: a page's picture is asked for by a key, which is looked up among these.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import SplitResult, urljoin, urlsplit

from registry.server_json.reading import Document

MAX_URL = 2048
_BLOB = re.compile(r"/([^/]+)/([^/]+)/blob/(.+)")  # GitHub's page about a file; /raw/ is the file


def image_key(url: str) -> str:
    """32 hexadecimal digits that stand for an address."""
    return blake2b(url.encode(), digest_size=16).hexdigest()


def image_name(url: str, side: int) -> str:
    """What a picture is kept under: of that address, at most `side` pixels wide and high."""
    return f"{image_key(url)}-{side}"


def image_address(src: str, files: str, github_hosts: list[str]) -> str:
    """What a README's `src` means; "" for what is not fetched. `files` is where the repository's files lie, "" for
    nowhere known. SVG is left out: it is a program rather than a picture, and nothing here draws it."""
    src = src.strip()
    try:
        if not urlsplit(src).scheme and (not files or src.startswith("/")):
            return ""
        found = urljoin(files, src)
        parts = urlsplit(found)
        if not _is_fetched(parts) or len(found) > MAX_URL:
            return ""
    except ValueError:
        return ""
    if parts.netloc.lower() in github_hosts and (match := _BLOB.fullmatch(parts.path)):
        return f"https://{parts.netloc.lower()}/{match[1]}/{match[2]}/raw/{match[3]}"
    return parts._replace(fragment="").geturl()


def icon_address(document: Document) -> str:
    """Of the icon that stands on pages: one for any theme first. "" for none."""
    usable = [icon for icon in document.icons if image_address(icon.src, "", [])]
    chosen = next((icon for icon in usable if not icon.theme), usable[0] if usable else None)
    return image_address(chosen.src, "", []) if chosen else ""


def _is_fetched(parts: SplitResult) -> bool:
    is_svg = parts.path.lower().endswith((".svg", ".svgz"))
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and not is_svg
