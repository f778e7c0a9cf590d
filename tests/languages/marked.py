"""A language for tests: every message in marks, so that what stands outside of them was never translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.test import override_settings
from django.utils.translation import trans_real

CODE = "eo"  # one that Django has a catalogue of, so that its middleware believes in it
OPEN, CLOSE = "⟦", "⟧"
_CONTEXT = "\x04"  # between a message's context and the message


class Marked:
    """What Django asks of a language (gettext.GNUTranslations), without a file."""

    domain = "django"

    def to_language(self) -> str:
        return CODE

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message.rpartition(_CONTEXT)[2]}{CLOSE}"

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.gettext(singular if number == 1 else plural)


@contextmanager
def marked_language() -> Iterator[str]:
    """The site as one that has this language besides English, for clients that are made within. Gives its code."""
    with override_settings(LANGUAGES=[*settings.LANGUAGES, (CODE, "Esperanto")]):
        trans_real._translations[CODE] = Marked()  # type: ignore[attr-defined]  # it forgets it when the settings change again
        yield CODE


def outside(text: str) -> str:
    """What of a text stands outside of the marks. Marks may stand within marks: words that a sentence was given."""
    kept, depth = [], 0
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        if depth == 0 and character != CLOSE:
            kept.append(character)
        assert depth >= 0, f"a mark is closed that was not opened: {text!r}"
    assert depth == 0, f"a mark is not closed: {text!r}"
    return "".join(kept)
