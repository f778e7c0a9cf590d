"""What is wrong with what a program says of itself: told to it in English, and to who looks at a page in theirs."""

from __future__ import annotations

from django.utils.translation import gettext

from common.errors import BadInput


class Refusal(BadInput):
    """`message` is for programs, in English; `for_people` says the same in the language of this thread's reader.

    `sentence` is a message that is marked with gettext_noop where it is written. A value that is a Refusal is told in
    the same language.
    """

    def __init__(self, code: str, sentence: str, *, field: str = "", **values: object) -> None:
        self._sentence, self._values = sentence, values
        super().__init__(code, sentence % values if values else sentence, field=field)

    @property
    def for_people(self) -> str:
        told = {name: one.for_people if isinstance(one, Refusal) else one for name, one in self._values.items()}
        return gettext(self._sentence) % told if told else gettext(self._sentence)
