"""Sentences that rows keep, or that come from modules without Django, in the language of whoever reads a page.

They are written and kept in English, which is what programs get. A page finds the message that a sentence was made of,
and its values. What is not listed here is shown as it is. Pure but for the language.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import get_language, gettext, gettext_noop

MESSAGES = (
    # what owners and the site did
    gettext_noop("queued for building"),
    gettext_noop("stopped by its owner"),
    gettext_noop("restarted by its owner"),
    gettext_noop("deleted by its owner"),
    gettext_noop("its runner %(name)s doesn't answer; it is started elsewhere"),
    gettext_noop("version %(number)s couldn't be installed again: %(reason)s"),
    gettext_noop("version %(number)s could not be built, so version %(serving)s still serves: %(reason)s"),
    gettext_noop("with today's packages it doesn't start; resolving them as of %(day)s"),
    gettext_noop("Its server was stopped."),
    gettext_noop("Its server was stopped or deleted."),
    gettext_noop("The task was cancelled by request."),
    # what a runner says of its instances
    gettext_noop("running: 1 instance"),
    gettext_noop("running: %(count)s instances"),
    gettext_noop("%(reason)s, %(count)s of an earlier version"),
    gettext_noop("starting: waits for its turn, %(count)s of the same owner are ahead"),
    gettext_noop("starting: preparing the sandbox"),
    gettext_noop("starting: waiting for its first answer"),
    gettext_noop("starting: connecting to %(host)s"),
    gettext_noop("exited with code %(code)s"),
    gettext_noop("ended by %(signal)s"),
    gettext_noop("; its last lines: %(lines)s"),
    gettext_noop("its process is gone"),
    gettext_noop("could not be started: %(reason)s"),
    gettext_noop("the runner is stopping"),
    gettext_noop("the runner failed; its log has the details"),
    gettext_noop("did not answer within %(seconds)s s"),
    # why a build failed
    gettext_noop("There is no package %(name)s on PyPI. Check the spelling of its name."),
    gettext_noop("%(name)s needs the package %(missing)s, and there is none of that name on PyPI."),
    gettext_noop(
        "%(name)s needs Python%(bound)s, and this site runs %(python)s. Choose a version of the package that supports "
        "it, or run Slipway with a newer Python."
    ),
    gettext_noop(
        "%(name)s has no wheel for %(python)s on this platform: it can only be built from source, which runs its code "
        "during installation. Allow install code in the settings of this server, or choose another version or package."
    ),
    gettext_noop("There is no version %(version)s of %(name)s on PyPI.%(hint)s"),
    gettext_noop(" The newest one is %(version)s."),
    gettext_noop("The package index didn't answer. Try again later."),
    gettext_noop("The packages that %(name)s needs couldn't be installed together: %(output)s"),
    gettext_noop("There is no package %(name)s on npm. Check the spelling of its name."),
    gettext_noop("%(name)s needs the package %(missing)s, and there is none of that name on npm."),
    gettext_noop("There is no version %(version)s of %(name)s on npm.%(hint)s"),
    gettext_noop(" The newest ones are %(versions)s."),
    gettext_noop("%(name)s needs %(missing)s %(version)s, and npm has no such version."),
    gettext_noop("The npm registry didn't answer. Try again later."),
    gettext_noop("%(name)s needs a package from a git repository. Slipway installs from npm only."),
    gettext_noop("npm couldn't install %(name)s: %(output)s"),
    gettext_noop("The uploaded source isn't there any more. Upload it again."),
    gettext_noop("pyproject.toml leaves its dependencies to its build backend. Write them into [project]."),
    # what a build noticed
    gettext_noop(
        "%(file)s has no inline metadata, so it runs with the standard library alone. Name its dependencies in a "
        "“# /// script” block (PEP 723)."
    ),
    gettext_noop("%(notice)s, which should have %(rule)s and be different from each other: %(names)s%(more)s."),
    gettext_noop("Some clients may not take the names of these tools"),
    gettext_noop("1 to 128 letters (A–Z, a–z), digits, “_”, “-” and “.”"),
    gettext_noop(" and %(count)s more"),
    gettext_noop("Its dependencies are those of %(day)s, because with today's it doesn't start: %(reason)s"),
    gettext_noop("Dependencies as of %(day)s couldn't be installed: %(reason)s"),
    gettext_noop(
        "It didn't answer on its standard streams. Its description mentions the argument %(argument)s: add it in the "
        "settings if that is how it is told to use them."
    ),
)
# Values that are sentences of this list themselves.
_NESTED = frozenset(("reason", "hint", "notice", "rule", "more"))
_VALUE = re.compile(r"%\((\w+)\)s")
_AFTER = "; its last lines: "


def in_words(sentence: str) -> str:
    """The sentence in the language of this thread's reader."""
    if not sentence or (get_language() or "en").partition("-")[0] == "en":
        return sentence
    first, lines, rest = sentence.partition(_AFTER)
    if lines:
        return in_words(first) + gettext("; its last lines: %(lines)s") % {"lines": rest}
    for message, literals, names in _messages():
        if (values := _values(literals, names, sentence)) is not None:
            said = {name: in_words(value) if name in _NESTED else value for name, value in values.items()}
            return gettext(message) % said if said else gettext(message)
    return sentence


@cache
def _messages() -> tuple[tuple[str, list[str], list[str]], ...]:
    """Each with what stands around its values, and their names. Those with more words of their own come first."""
    split = ((message, _VALUE.split(message)) for message in MESSAGES)
    found = [(message, pieces[::2], pieces[1::2]) for message, pieces in split]
    return tuple(sorted(found, key=lambda each: len("".join(each[1])), reverse=True))


def _values(literals: list[str], names: list[str], sentence: str) -> dict[str, str] | None:
    """What stands between the literals; None where the sentence is another one. One way through: sentences quote what
    others wrote, who must not make this slow."""
    first, *others = literals
    if not sentence.startswith(first):
        return None
    found, at = {}, len(first)
    for number, (name, literal) in enumerate(zip(names, others, strict=True), start=1):
        is_last = number == len(names)
        end = sentence.find(literal, at) if not is_last else len(sentence.removesuffix(literal))
        if end < at or not sentence.startswith(literal, end):
            return None
        found[name], at = sentence[at:end], end + len(literal)
    return found if at == len(sentence) else None
