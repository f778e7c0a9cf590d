"""Which addresses are fetched, and what becomes of a stranger's octets and of a README's words. Pure."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from registry.images.addresses import image_address, image_key
from registry.images.encoding import NoPicture, encoded
from registry.images.showing import Known
from registry.readme.pictures import with_pictures
from registry.readme.rendering import as_html
from registry.views.marks import letter_of
from tests.registry.images.pictures import drawn, png_header


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The value of each band."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def test_only_the_first_frame_stays_and_no_metadata() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    gif = BytesIO()
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:])
    made = Image.open(BytesIO(encoded(gif.getvalue(), side=100).content))
    assert (made.format, getattr(made, "n_frames", 1)) == ("WEBP", 1)
    red, green, blue = pixel(made.convert("RGB"), 4, 4)
    assert red > 200 and green < 60 and blue < 60

    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "Bern, 46.9 N", 6  # a description; to be turned by 90 degrees
    made = Image.open(BytesIO(encoded(drawn(40, 10, "JPEG", exif=exif), side=100).content))
    assert made.size == (10, 40) and not made.getexif()


def test_transparency_stays() -> None:
    png = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(png, "PNG")
    made = Image.open(BytesIO(encoded(png.getvalue(), side=100).content))
    assert pixel(made.convert("RGBA"), 1, 1)[3] == 0


def test_a_bomb_is_refused_by_what_its_header_says() -> None:
    with pytest.raises(NoPicture, match="pixels"):
        encoded(png_header(50_000, 50_000), side=100)


@pytest.mark.parametrize(
    ("src", "found"),
    [
        ("https://a.test/x.png#y", "https://a.test/x.png"),
        ("img/x.png", "https://raw.test/o/n/HEAD/docs/img/x.png"),
        ("../x.png", "https://raw.test/o/n/HEAD/x.png"),
        ("https://github.com/o/n/blob/main/x.png?raw=true", "https://github.com/o/n/raw/main/x.png"),
        ("http://a.test/x.png", ""),
        ("https://a.test/x.svg", ""),
        ("https://a.test/x.SVG?y", ""),
        ("https://me@a.test/x.png", ""),
        ("data:image/png;base64,AAAA", ""),
        ("javascript:alert(1)", ""),
        ("//[x/y.png", ""),
        ("/x.png", ""),
        ("https://a.test/" + "x" * 3000, ""),
    ],
)
def test_which_addresses_are_fetched(src: str, found: str) -> None:
    assert image_address(src, "https://raw.test/o/n/HEAD/docs/", ["github.com"]) == found


def test_pictures_that_are_not_shown_leave_their_words() -> None:
    text = '![a < b](x.svg) <img src="y.png"> <img src="x.svg" alt="&lt;script&gt;" onerror="x"> ![plain](y.png)'
    html = as_html(text, picture=lambda src: "/there" if src == "y.png" else "")
    assert "a &lt; b" in html and "&lt;script&gt;" in html and "<script" not in html and "onerror" not in html
    assert html.count("<img") == 2 and html.count('src="/there"') == 2 and html.count("alt=") == 2


def test_pictures_have_their_size_as_their_author_wants_it() -> None:
    keys = {f"https://a.test/{name}": image_key(f"https://a.test/{name}") for name in "abcde"}
    images = {key: url for url, key in keys.items()}
    known = {url: Known("x", 400, 200) for url in list(keys)[:3]} | {list(keys)[3]: Known("", 0, 0)}
    attributes = ["", ' width="100"', ' height="50"', "", ""]
    text = "".join(
        f'<img alt="{n} &lt;"{more} src="/s/-/images/{key}">'
        for n, (key, more) in enumerate(zip(images, attributes, strict=True))
    )
    made = with_pictures(text, images, known)
    assert made.count("<img") == 4 and "3 &lt;" in made
    for size in ('width="400" height="200"', 'width="100" height="50"'):
        assert size in made
    assert made.count('width="100" height="50"') == 2 and made.count("data-pending") == 1
    assert with_pictures("<p>plain</p>", {}, {}) == "<p>plain</p>"


@pytest.mark.parametrize(
    ("title", "name", "letter"),
    [
        ("Tides", "a/b", "T"),
        ("", "org.example/mcp-server-time", "T"),
        ("MCP Server", "org.example/weather", "M"),
        ("", "org.example/mcp", "M"),
        ("The harbour", "a/b", "H"),
        ("Überall", "a/b", "Ü"),
        ("★", "a/-", "A"),
    ],
)
def test_letter_is_of_the_word_that_tells_it_from_others(title: str, name: str, letter: str) -> None:
    assert letter_of(title, name) == letter
