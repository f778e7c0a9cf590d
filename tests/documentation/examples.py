"""Code blocks of the documentation, and what the tests do with each.

```console             commands; `$ ` begins one, indented lines go on with it, others are what it prints ("…" is
                       anything). Run in order, page by page, against a real site (test_commands.py).
```console benchmark   python -m benchmarks.…: takes long and wants a quiet machine; that the module exists is checked.
```console elsewhere   needs what a test has not (another host, a program of others); ELSEWHERE says what each needs.
```LANGUAGE file.ext   a file: written to the folder that the page's commands run in.
Other languages are for reading.

Placeholders: http://127.0.0.1:8000 is the site's address, alice an account of it, ./manage.py the site's command.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from documentation.contents import sources
from documentation.rendering import Step, console_steps

ROOT = Path(__file__).resolve().parents[2]
READ_ONLY = {"text", "json", "python", "toml", "yaml", "javascript", "http", "nginx", "ini"}
MODES = {"", "benchmark", "elsewhere"}
# How a command begins → why no test runs it.
ELSEWHERE = {
    "git clone": "the repository's address is the reader's own",
    "make up": "it is what tests/stack.py starts as `manage.py up`, after an installation that CI makes",
    "claude mcp add": "a program of others; what it is given is tried with other clients (tests/clients)",
    "mcp-publisher": "a program of others; its requests are tried in tests/registry",
    "scp": "another host",
    "ssh": "another host",
    "./manage.py runner --name second": "another host; tests/e2e/test_two_runners.py has two on one",
    "./manage.py import_registry https:": "the public registry; imports are tried in tests/registry",
}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    rest: str  # of the info string: a mode, or a file's name
    content: str

    @property
    def is_run(self) -> bool:
        return self.language == "console" and not self.rest

    @property
    def steps(self) -> list[Step]:
        return console_steps(self.content)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for source in sources(ROOT):
        for token in parser.parse((ROOT / source.path).read_text(encoding="utf-8")):
            if token.type in ("fence", "code_block"):
                language, _, rest = token.info.strip().partition(" ")
                assert token.map is not None
                yield Block(source.slug, token.map[0] + 1, language, rest.strip(), token.content)


def pages_with_commands() -> list[str]:
    return sorted({block.page for block in blocks() if block.is_run})
