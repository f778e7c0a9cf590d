"""A stranger's octets become a picture of our own making, or none. Pure.

Only four formats are read, by Pillow; what comes out is always WebP of one frame, without metadata. The size in pixels
is read from the header and judged before anything is unpacked: a small file that unpacks to gigabytes costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PIXELS = 16_000_000  # 64 MB unpacked
MAX_SIDE = 16_000
QUALITY = 85
MEDIA_TYPE = "image/webp"


class NoPicture(Exception):
    """Its words say why; they are for logs."""


@dataclass(frozen=True)
class Picture:
    """`content` is WebP of `width` × `height` pixels."""

    content: bytes
    width: int
    height: int


def encoded(content: bytes, *, side: int) -> Picture:
    """At most `side` pixels wide and high; a smaller picture keeps its size. Raises NoPicture."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise NoPicture(f"{width} × {height} pixels")
            opened.draft("RGB", (side, side))  # a JPEG is unpacked no larger than needed
            return _made(opened, side)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise NoPicture(str(error)[:200] or type(error).__name__) from error


def _made(opened: Image.Image, side: int) -> Picture:
    """Of the first frame, turned as its camera was held."""
    upright = ImageOps.exif_transpose(opened)
    has_alpha = upright.has_transparency_data
    plain = upright.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((side, side))
    made = BytesIO()
    plain.save(made, "WEBP", quality=QUALITY)
    return Picture(made.getvalue(), *plain.size)
