"""Uploaded source: one Python file, or a zip whose every entry has been looked at before anything is written.

What a zip may do to its reader is known: climb out of the folder, follow links, unfold without end, say other sizes
than it has, hide one name behind another. Each is refused with a sentence. Pure but for `unpack`.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from common.errors import BadInput

MAX_ARCHIVE_BYTES = 10 * 1024 * 1024
MAX_UNPACKED_BYTES = 50 * 1024 * 1024
MAX_SCRIPT_BYTES = 1024 * 1024
MAX_FILES = 2000
MAX_DEPTH = 30
MAX_PATH_BYTES = 800
MAX_NAME_BYTES = 200
MAX_RATIO = 200  # of one file of more than RATIO_FROM_BYTES; source text stays below 20, a bomb reaches 1,000
RATIO_FROM_BYTES = 1024 * 1024

_CHUNK = 256 * 1024
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED, _UTF8 = 0x41, 0x800  # flag bits, APPNOTE 4.4.4; 0x41: encrypted, or strongly
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_BROKEN = (
    zipfile.BadZipFile,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    NotImplementedError,
    zlib.error,
    struct.error,
)
# Made by tools on the owner's machine: what they hold is locked and installed here instead.
LEFT_OUT = {"node_modules", ".venv", "venv", "__pycache__", ".git", "__MACOSX", ".DS_Store"}


@dataclass(frozen=True)
class Archive:
    """Checked source. `members` maps each path, relative to the project's folder, to its name inside the zip."""

    filename: str
    content: bytes = field(repr=False)
    members: dict[str, str] = field(repr=False)

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def is_script(self) -> bool:
        return self.filename.endswith(".py")

    def read(self, path: str, most: int = MAX_SCRIPT_BYTES) -> str:
        """One file as text. Raises BadInput when it is too large or no UTF-8."""
        for found, content in self.files({path}):
            if len(content) > most:
                raise _refused(f"{found} is larger than {_size(most)}.")
            return _text(content, found)
        raise _refused(f"There is no {path} in {self.filename}.")

    def files(self, only: set[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """Path and content of each file, or of some."""
        if self.is_script:
            if only is None or self.filename in only:
                yield self.filename, self.content
            return
        with zipfile.ZipFile(io.BytesIO(self.content)) as opened:
            for path, member in self.members.items():
                if only is None or path in only:
                    yield path, opened.read(member)

    def unpack(self, folder: Path) -> None:
        """Writes everything into a folder that it makes. Nothing is executable: interpreters are named."""
        folder.mkdir()
        for path, content in self.files():
            file = folder.joinpath(*PurePosixPath(path).parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as opened:
                opened.write(content)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive_of(filename: str, content: bytes) -> Archive:
    """Looks at everything. Raises BadInput, whose message says what is wrong and what to do."""
    filename = PurePosixPath(filename.replace("\\", "/")).name
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_. ()+-]{0,180}\.(?:py|zip)", filename):
        raise _refused(
            "Source is one Python file (NAME.py) or a zip (NAME.zip), "
            "with a name of letters, digits, “-”, “_”, “.” and spaces."
        )
    if not content:
        raise _refused(f"{filename} is empty.")
    if filename.endswith(".py"):
        if len(content) > MAX_SCRIPT_BYTES:
            raise _refused(f"{filename} is larger than {_size(MAX_SCRIPT_BYTES)}.")
        _text(content, filename)
        return Archive(filename, content, {filename: filename})
    if len(content) > MAX_ARCHIVE_BYTES:
        raise _refused(
            f"{filename} is larger than {_size(MAX_ARCHIVE_BYTES)}. Leave out what isn't source, such as node_modules."
        )
    return Archive(filename, content, _checked_members(content))


def _checked_members(content: bytes) -> dict[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            entries = opened.infolist()
            _check_totals(entries)
            files = _check_names(entries)
            for entry in entries:
                _check_content(opened, entry)
    except _BROKEN as error:
        raise _refused("This isn't a zip that can be read: it is damaged, or something else by that name.") from error
    kept = {path: name for path, name in files.items() if not LEFT_OUT & set(path.split("/"))}
    if not kept:
        raise _refused("There is no source in this zip.")
    top = _common_folder(kept)
    return {path.removeprefix(top): name for path, name in kept.items()}


def _check_totals(entries: list[zipfile.ZipInfo]) -> None:
    """By what the zip says of itself; `_check_content` holds it to that."""
    if len(entries) > MAX_FILES:
        raise _refused(
            f"This zip has {len(entries)} entries, and {MAX_FILES} is the limit. "
            "Leave out what isn't source, such as node_modules."
        )
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise _refused(f"Unpacked, this zip is larger than {_size(MAX_UNPACKED_BYTES)}.")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        # Entries that share their data unfold to far more than the archive's size.
        if entry.header_offset < end:
            raise _refused("Entries of this zip overlap, as they do in zip bombs. Make it anew with an ordinary tool.")
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
        if entry.file_size > RATIO_FROM_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise _refused(f"{_shown(entry)} unfolds to more than {MAX_RATIO} times its size, as zip bombs do.")


def _check_names(entries: list[zipfile.ZipInfo]) -> dict[str, str]:
    """Path → name in the zip, of the files."""
    files: dict[str, str] = {}
    spelled: dict[str, tuple[str, bool]] = {}  # folded path → as written, is it a folder
    for entry in entries:
        path = _path_of(entry)
        parts = path.split("/")
        is_folder = entry.is_dir()
        for depth in range(1, len(parts) + 1):
            here, inner = "/".join(parts[:depth]), depth < len(parts) or is_folder
            folded = unicodedata.normalize("NFC", here).casefold()
            before = spelled.setdefault(folded, (here, inner))
            is_again = depth == len(parts) and not is_folder and path in files
            if before != (here, inner) or is_again:
                raise _refused(f"Two entries of this zip have one name or differ in case only: {before[0]} and {here}.")
        if not is_folder:
            files[path] = entry.filename
    return files


def _path_of(entry: zipfile.ZipInfo) -> str:
    """The entry's path as text. Raises BadInput for one that could lead out, that hides something or isn't a file."""
    if entry.flag_bits & _ENCRYPTED:
        raise _refused("This zip is encrypted. Upload it without a password.")
    if entry.compress_type not in _METHODS:
        raise _refused(f"{_shown(entry)} is packed in a way that Slipway doesn't read. Make the zip with “deflate”.")
    name = entry.orig_filename
    if not entry.flag_bits & _UTF8:
        try:  # zipfile read the bytes as code page 437; most tools that don't set the flag write UTF-8 anyway
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            raise _refused(
                f"The name {_shown(entry)} isn't UTF-8. Make the zip with a tool that writes UTF-8."
            ) from None
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise _refused(f"{_shown(entry)} is a symbolic link. Put the file itself into the zip.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR) > entry.is_dir():
        raise _refused(f"{_shown(entry)} is neither a file nor a folder.")
    path = name.removesuffix("/") if entry.is_dir() else name
    _check_path(path, _shown(entry))
    return path


def _check_path(path: str, shown: str) -> None:
    parts = path.split("/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise _refused(f"{shown} is an absolute path. Paths in a zip begin at its own top.")
    if "\\" in path or not path.isprintable():
        raise _refused(f"{shown} has a backslash or a control character in its name.")
    if ".." in parts:
        raise _refused(f"{shown} leads out of the zip's own folder.")
    if "" in parts or "." in parts or any(part != part.rstrip(". ") for part in parts):
        raise _refused(f"{shown} is no plain path: an empty part, “.”, or a part that ends with a dot or a space.")
    too_long = len(path.encode()) > MAX_PATH_BYTES or any(len(part.encode()) > MAX_NAME_BYTES for part in parts)
    if too_long or len(parts) > MAX_DEPTH:
        raise _refused(f"{shown} is too long or lies too deep.")


def _check_content(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Unfolds it once, no further than it said. zipfile checks the CRC and the name in the local header."""
    with opened.open(entry) as file:
        seen = 0
        while chunk := file.read(_CHUNK):
            seen += len(chunk)
            if seen > entry.file_size:
                break
    if seen != entry.file_size:
        raise _refused(f"{_shown(entry)} doesn't have the size that the zip says it has.")


def _common_folder(paths: dict[str, str]) -> str:
    """ "project-main/" when everything lies in that one folder, as in zips that repositories offer; otherwise ""."""
    tops = {path.partition("/")[0] for path in paths}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in path for path in paths) else ""


def _text(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(f"{name} isn't UTF-8 text.") from None
    if "\0" in text:
        raise _refused(f"{name} isn't text: it has NUL characters.")
    return text


def _shown(entry: zipfile.ZipInfo) -> str:
    name = entry.orig_filename[:120]
    return f"“{''.join(c if c.isprintable() else '�' for c in name)}”"


def _size(count: int) -> str:
    return f"{count // (1024 * 1024)} MB"


def _refused(message: str) -> BadInput:
    return BadInput("bad_source", message, field="source")
