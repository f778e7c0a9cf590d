"""What a form says at once of what was typed or uploaded, by modules that know nothing of Django."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import make_user
from tests.languages.marked import CODE, marked_language

pytestmark = pytest.mark.django_db
ZIP = b"PK\x05\x06" + bytes(18)  # with nothing in it


def refused(language: str, **given: object) -> str:
    """What stands at its fields and above them."""
    with marked_language():
        client = Client(headers={"accept-language": language})
        client.force_login(make_user("alice"))
        answer = client.post("/servers/new", {"owner": "alice", "name": "a", "access": "private", **given})
        assert answer.status_code == 400
        lists = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', answer.content.decode(), re.DOTALL)
        return unescape(re.sub(r"<[^>]+>", "", " ".join(lists))).strip()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reference": "pypi:a b"}, "“a b” can't be the name of a PyPI package: "),
        ({"reference": "remote:https://a_-/"}, "“a_-” can't be the host of a server: ⟦not a host name⟧."),
        ({"reference": "registry:org.example/none"}, "The registry of this site has no server org.example/none."),
        ({"source": SimpleUploadedFile("a.zip", ZIP)}, "There is no source in this zip."),
    ],
)
def test_a_form_tells_its_reader_why(given: dict[str, object], words: str) -> None:
    assert f"⟦{words}" in refused(CODE, **given)


def test_a_reader_of_english_is_told_in_english() -> None:
    assert refused("en", reference="pypi:a b").startswith("“a b” can't be the name of a PyPI package: ")
