"""A host of pictures, and READMEs and servers that refer to it."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from threading import Event, Semaphore
from typing import Any

from django.test import Client
from PIL import Image

from registry.images.addresses import image_address, image_key
from registry.images.keeping import ICON_SIDE, image_fetch
from registry.models import Readme, StoredImage
from registry.readme.rendering import as_html
from tests.registry.entries import publish
from tests.registry.fakes.peers import Peers
from tests.registry.fakes.web import MISSING, Request, Response

NAME = "io.github.acme/slack"
PAGE = f"/registry/servers/{NAME}"
ICON = f"{PAGE}/-/icon"


def drawn(width: int = 30, height: int = 20, kind: str = "PNG", **options: Any) -> bytes:
    made = BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(made, kind, **options)
    return made.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A file of some bytes that says it is that large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


class FakePictures:
    """A host of pictures by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/a.png": drawn()}
        self.answers: dict[str, Response] = {}
        self.may_answer = Event()
        self.may_answer.set()
        self.asked = Semaphore(0)

    def answer(self, request: Request) -> Response:
        self.asked.release()
        self.may_answer.wait(10)
        if request.path in self.answers:
            return self.answers[request.path]
        found = self.files.get(request.path)
        return MISSING if found is None else Response(200, found, {"Content-Type": "image/png", "Set-Cookie": "a=b"})


class Host:
    def __init__(self, peers: Peers) -> None:
        self.pictures = FakePictures()
        self.url, self.server = peers.serve("pictures.test", self.pictures.answer)

    def icon(self, client: Client, path: str) -> Any:
        """The answer for a server whose icon is at this path, once a job has fetched it."""
        publish(NAME, f"1.{StoredImage.objects.count()}.0", icons=[{"src": self.url + path}])
        assert client.get(ICON).status_code == 202
        assert image_fetch(self.url + path, side=ICON_SIDE)
        return client.get(ICON)


def readme(text: str, files: str = "") -> Readme:
    """As fetching keeps it, with pictures that lie at `files`."""
    images: dict[str, str] = {}

    def here(src: str) -> str:
        if url := image_address(src, files, ["github.com"]):
            images[image_key(url)] = url
            return f"{PAGE}/-/images/{image_key(url)}"
        return ""

    html = as_html(text, picture=here)
    return Readme.objects.update_or_create(
        server=publish(NAME), defaults={"version": "1.0.0", "text": text, "html": html, "images": images}
    )[0]
