"""What a page says to people, taken out of its HTML: text, and the attributes that are shown or read out."""

from __future__ import annotations

from html.parser import HTMLParser

# Elements whose text is no language of ours: programs, what was typed, and what is set in quotation.
NOT_WORDS = frozenset(("script", "style", "code", "pre", "samp", "kbd", "textarea"))
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_SPOKEN = ("aria-label", "aria-description", "placeholder", "title", "alt")


class Page(HTMLParser):
    """Feeding it a page fills `texts`, in their order, and `spoken`, without what is in another language or none
    (`lang`, `translate`)."""

    def __init__(self, language: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.spoken: list[str] = []
        self._language = language
        self._silent: list[bool] = []  # of each element that is open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        is_ours = given.get("lang", self._language) == self._language and given.get("translate") != "no"
        is_silent = bool(self._silent and self._silent[-1]) or not is_ours or tag in NOT_WORDS
        if not is_silent or tag == "textarea":
            self.spoken += [given[name] for name in given if name in _SPOKEN or self._is_label(name)]
            if tag == "input" and given.get("type") in ("submit", "button"):
                self.spoken.append(given.get("value", ""))
        if tag not in _VOID:
            self._silent.append(is_silent)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._silent:
            self._silent.pop()

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self._silent and self._silent[-1]):
            self.texts.append(data)

    @staticmethod
    def _is_label(name: str) -> bool:
        """What scripts put into the page."""
        return name.startswith("data-") and name.endswith("-label")


def read(body: str, language: str) -> Page:
    page = Page(language)
    page.feed(body)
    page.close()
    return page
