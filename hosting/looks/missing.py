"""Which setting a server asked for before it exited, read from what it printed. Pure.

Every server says it in words of its own. What is looked for are the forms in which argument parsers, settings
libraries and people write it; nothing is known of a server in particular. Reading starts at the end, where the reason
stands. Finding nothing is no harm: the lines are quoted anyway.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

MAX_LINES = 80
MAX_LINE = 1000  # characters
MAX_NAME = 200


@dataclass(frozen=True)
class Missing:
    """`name` is a variable's name, an argument with its dashes, or what the server calls a positional argument."""

    name: str
    where: Literal["env", "argument"]

    @property
    def words(self) -> str:
        return f"needs a setting: {self.name}" if self.where == "env" else f"needs an argument: {self.name}"


_FLAG = r"(?<![\w-])--?[A-Za-z][\w-]*"
# Argument parsers. Each group is one name, or several with commas between.
_ARGUMENTS = (
    re.compile(r"the following arguments are required: (.+)"),  # argparse
    re.compile(r"required option '(?:-\w, )?(" + _FLAG + r")"),  # commander
    re.compile(r"missing required argument '([^']+)'"),  # commander
    re.compile(r"[Mm]issing (?:required )?(?:option|parameter) ['\"]?(" + _FLAG + r")"),  # click and typer
    re.compile(r"[Mm]issing (?:required )?argument ['\"]([^'\"]+)['\"]"),  # click and typer
    re.compile(r"Missing required arguments?: ([\w, -]+)$"),  # yargs
    re.compile(r"(?i)\brequired (command|subcommand) (?:was|is) (?:not provided|missing)"),
    re.compile(r"(?i)\brun (?:it )?with (?:the )?['\"`]([\w-]+)['\"`] argument"),
    re.compile(r"required flag\(?s?\)? \"?([\w-]+)\"?"),  # cobra
    re.compile(r"required arguments? (?:was|were) not provided:?\s*(" + _FLAG + r"|<[^>]+>)"),  # clap
    re.compile(r"(" + _FLAG + r")(?: <[^>]+>)? (?:is required|must be (?:provided|specified|set)|argument is )"),
)
_AS_ARGUMENT = re.compile(
    r"(?i)(?:provide|specify|pass) (?:an? |the )?([\w ./-]{2,40}?) as an? (?:command[- ]line |first )?argument"
)
_USAGE = re.compile(r"(?i)^\s*usage:?\s+(\S.*)$")
_PLACEHOLDER = re.compile(r"<([A-Za-z][\w ./:|-]*)>")
_OPTION_BEFORE = re.compile(r"(?<!\S)(" + _FLAG + r")[ =]$")
_CLICK_ENV = re.compile(r"env var: ['\"]?([A-Z][A-Z0-9_]+)")

# Variables. A name with an underscore is taken where the sentence speaks of something missing; one without needs the
# words "environment variable" beside it.
_NAME = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"
_ANY_NAME = r"[A-Z][A-Z0-9_]{1,}"
_TOKEN = re.compile(r"(?<![\w./-])\$?\{?(" + _NAME + r")\b")
_BESIDE = (
    re.compile(r"(?i:env(?:ironment)?[ _-]?var(?:iable)?s?)\b[:=]?\s*(?:export )?[\"'`“$(]*(" + _ANY_NAME + r")\b"),
    re.compile(r"\b(" + _ANY_NAME + r")[\"'`”)]*\s+(?i:env(?:ironment)?[ _-]?(?:var(?:iable)?)?)\b"),
)
_SPEAKS = re.compile(
    r"(?i)\brequired?\b|\brequires\b|\bmissing\b|\bunset\b|\bundefined\b|\bis empty\b|\bneeded\b"
    r"|\bnot (?:been )?(?:set|provided|found|defined|configured|specified|given|present)\b"
    r"|n't (?:set|found|provided|configured)|\bmust (?:be|set|provide|have)\b"
    r"|\bplease (?:set|provide|specify|define|add|configure|export)\b"
    r"|\bno (?:\w+ ){1,4}(?:provided|set|found|configured)\b"
    r"|\b(?:or|by|and) set(?:ting)?\b|^\W*set\b|\bneeds?\b|\byou (?:must|need|should)\b|\bcould not find\b"
)
_KEY_ERROR = re.compile(r"^KeyError: ['\"](" + _ANY_NAME + r")['\"]$")
_FIELD_REQUIRED = re.compile(r"^\s*Field required \[type=missing|^\s*field required \(type=value_error\.missing\)")
_FIELD = re.compile(r"^([A-Za-z_]\w*)$")  # with a dot it is part of a message, not a setting
_ZOD_PATH = re.compile(r"\"path\":\s*\[\s*\"(\w+)\"", re.DOTALL)
_ZOD_MISSING = re.compile(r"\"received\":\s*\"undefined\"|received undefined|\"Required\"")
_LISTED = re.compile(
    r"^\s*[-•*]?\s*[\"']?(" + _ANY_NAME + r")[\"']?\s*:\s*"
    r"(?i:\[?\s*['\"]?(?:Required|undefined|Invalid input|missing)|.*is required)"
)
_HEADING = re.compile(r"(?i)\b(?:missing|invalid|required)\b.*\benv(?:ironment)?\b.*[:{]?\s*$")
_LISTED_NAME = re.compile(r"^\s*[-•*❌✗]*\s*(" + _NAME + r")\b")

# Lines of a stack, and errors of code that mention constants: what looks like a variable there is none.
_CODE = re.compile(
    r"^\s*at \S|^\s*File \"|\b(?:Import|Attribute|Name|ModuleNotFound|Syntax|Type)Error\b|cannot import"
    r"|has no attribute|Cannot find (?:module|package)|is not (?:defined|a function)|ERR_MODULE"
    r"|^\s*[\^~]+\s*$|^\s*code: '"
)
_NEVER = re.compile(
    r"^(?:ERR_\w+|E[A-Z]+|NODE_(?:ENV|OPTIONS|PATH|VERSION)|LOG_LEVEL|PYTHON\w*|LATEST_\w+|HTTPS?_PROXY|NO_PROXY|JSON_RPC|"
    r"(?:UN)?HANDLED_\w+|READ_ONLY|UTF_8|MODULE_NOT_FOUND|STDIO_\w+|INVALID_\w+|MISSING_\w+|NOT_\w+|UNKNOWN_\w+)$"
)


def missing_setting(printed: str, given: Collection[str] = ()) -> Missing | None:
    """The setting that these last lines of stderr ask for; None where none is named.

    `given` are names that are set already: an error about one of them is about its value.
    """
    lines = [line[:MAX_LINE] for line in printed.splitlines()[-MAX_LINES:]]
    for found in _candidates(lines):
        if found.name not in given and len(found.name) <= MAX_NAME and not _NEVER.match(found.name):
            return found
    return None


def _candidates(lines: list[str]) -> Iterable[Missing]:
    yield from _of_parsers(lines)
    yield from _of_settings(lines)
    yield from _of_sentences(lines)
    yield from _of_usage(lines)


def _of_parsers(lines: list[str]) -> Iterable[Missing]:
    for line in reversed(lines):
        for form in _ARGUMENTS:
            if not (found := form.search(line)):
                continue
            if env := _CLICK_ENV.search(line):
                yield Missing(env[1], "env")
            name = found[1].split(",")[0].strip().split("/")[-1].strip(" .'\"<>")
            is_flag_only = form.pattern.startswith(("Missing required arguments?", "required flag"))
            if name:
                yield Missing(name if name.startswith("-") or not is_flag_only else f"--{name}", "argument")


def _of_settings(lines: list[str]) -> Iterable[Missing]:
    """Libraries that read settings: pydantic names a field one line above, zod in a path, others by KeyError."""
    for number in range(len(lines) - 1, 0, -1):
        if _FIELD_REQUIRED.search(lines[number]) and (field := _FIELD.match(lines[number - 1].strip())):
            yield Missing(_variable(field[1]), "env")
    for line in reversed(lines):
        if found := _KEY_ERROR.match(line.strip()):
            yield Missing(found[1], "env")
    text = "\n".join(lines)
    if _ZOD_MISSING.search(text):
        for path in _ZOD_PATH.finditer(text):
            yield Missing(_variable(path[1]), "env")


def _of_sentences(lines: list[str]) -> Iterable[Missing]:
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if _CODE.search(line):
            continue
        if _HEADING.search(line):
            for below in lines[number + 1 :]:
                if found := _LISTED_NAME.match(below):
                    yield Missing(found[1], "env")
        if found := _LISTED.match(line):
            yield Missing(found[1], "env")
        if _SPEAKS.search(line):
            for form in (_TOKEN, *_BESIDE):
                yield from (Missing(found[1], "env") for found in form.finditer(line))
        elif found := _BESIDE[0].search(line):
            yield Missing(found[1], "env")


def _of_usage(lines: list[str]) -> Iterable[Missing]:
    """A program that prints its usage and exits wanted what stands there without brackets."""
    for line in reversed(lines):
        if found := _AS_ARGUMENT.search(line):
            yield Missing(found[1].strip(), "argument")
    for line in lines:
        if not (usage := _USAGE.match(line)):
            continue
        must = re.sub(r"\[[^\]]*\]", " ", usage[1])
        for placeholder in _PLACEHOLDER.finditer(must):
            option = _OPTION_BEFORE.search(must[: placeholder.start()])
            if placeholder[1].lower() not in ("command", "options", "option", "subcommand"):
                yield Missing(option[1] if option else placeholder[1], "argument")


def _variable(field: str) -> str:
    """The variable that a field is read from, as settings libraries make it: apiKey and api_key are API_KEY."""
    return field if field.isupper() else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field).upper()
