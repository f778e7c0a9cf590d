"""What an upload may do to its reader, and that each is refused with a sentence before anything is written."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import BadInput
from hosting.kinds import archive as limits
from hosting.kinds.archive import archive_of
from hosting.kinds.packing import pack


def zipped(**files: str) -> bytes:
    return zip_of({name.replace("__", "/"): text for name, text in files.items()})


def zip_of(files: dict[str, str | bytes], *, mode: int = 0o100644, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as opened:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, method
            opened.writestr(entry, text)
    return packed.getvalue()


def renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """The same zip with another name inside, which no tool would write."""
    assert len(old) == len(new) and content.count(old) == 2
    return content.replace(old, new)


def with_flag(content: bytes, flag: int) -> bytes:
    data = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        (flags,) = struct.unpack_from("<H", data, at)
        struct.pack_into("<H", data, at, flags | flag)
    return bytes(data)


def with_declared_size(content: bytes, size: int) -> bytes:
    """The first entry claims to unfold to `size` bytes."""
    data = bytearray(content)
    struct.pack_into("<I", data, data.index(b"PK\x03\x04") + 22, size)
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, size)
    return bytes(data)


def overlapping() -> bytes:
    """Two names for one piece of data: the second entry's header offset is the first's."""
    data = bytearray(zipped(a="x" * 1000, b="y"))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    struct.pack_into("<I", data, second + 42, 0)
    return bytes(data)


def too_many() -> bytes:
    return zip_of({f"f{number}": "" for number in range(limits.MAX_FILES + 1)})


def too_large_unpacked() -> bytes:
    size = limits.MAX_UNPACKED_BYTES // 8 + 1000
    filler = b"".join(struct.pack("<I", number * 2654435761 % 2**32) * 16 for number in range(size // 64 + 1))
    return zip_of({f"f{number}": filler for number in range(8)})


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "not a zip": (lambda: b"hello", "isn't a zip"),
    "cut off": (lambda: zipped(a="x" * 5000)[:-30], "isn't a zip"),
    "damaged data": (
        lambda: zipped(a="x" * 5000).replace(b"x", b"y", 1).replace(b"PK\x03\x04", b"PK\x03\x05", 1),
        "zip",
    ),
    "too many entries": (too_many, "2000 is the limit"),
    "too large unpacked": (too_large_unpacked, "larger than 50 MB"),
    "one file that unfolds a thousandfold": (lambda: zip_of({"bomb": b"\0" * 20_000_000}), "zip bombs"),
    "entries that share their data": (overlapping, "overlap"),
    "larger than it says": (lambda: with_declared_size(zipped(a="x" * 5000), 10), "isn't a zip|doesn't have the size"),
    "smaller than it says": (
        lambda: with_declared_size(zipped(a="x" * 500), 5000),
        "isn't a zip|doesn't have the size",
    ),
    "climbs out": (lambda: zip_of({"../evil.py": "x"}), "leads out"),
    "climbs out in the middle": (lambda: zip_of({"a/../../evil.py": "x"}), "leads out"),
    "absolute": (lambda: zip_of({"/etc/cron.d/evil": "x"}), "absolute path"),
    "drive letter": (lambda: zip_of({"C:evil.py": "x"}), "absolute path"),
    "backslash": (lambda: renamed(zip_of({"a|b.py": "x"}), b"a|b.py", b"a\\b.py"), "backslash"),
    "empty part": (lambda: zip_of({"a//b.py": "x"}), "no plain path"),
    "dot": (lambda: zip_of({"./a.py": "x"}), "no plain path"),
    "name that ends with a dot": (lambda: zip_of({"a./b.py": "x"}), "no plain path"),
    "NUL hides the rest": (lambda: renamed(zip_of({"a.pyXb": "x"}), b"a.pyXb", b"a.py\0b"), "control character"),
    "line break": (lambda: zip_of({"a\nb.py": "x"}), "control character"),
    "turned direction": (lambda: zip_of({"a\u202eyp.exe": "x"}), "control character"),
    "not UTF-8": (lambda: renamed(zip_of({"aXb.py": "x"}), b"aXb.py", b"a\xffb.py"), "isn't UTF-8"),
    "says UTF-8 and isn't": (
        lambda: with_flag(renamed(zip_of({"aXb.py": "x"}), b"aXb.py", b"a\xffb.py"), 0x800),
        "isn't a zip",
    ),
    "symbolic link": (lambda: zip_of({"link": "/etc/passwd"}, mode=0o120777), "symbolic link"),
    "device": (lambda: zip_of({"null": ""}, mode=0o020666), "neither a file nor a folder"),
    "pipe": (lambda: zip_of({"pipe": ""}, mode=0o010666), "neither a file nor a folder"),
    "socket": (lambda: zip_of({"socket": ""}, mode=0o140666), "neither a file nor a folder"),
    "folder that is a file": (lambda: zip_of({"folder": "text"}, mode=0o040755), "neither a file nor a folder"),
    "twice the same name": (lambda: renamed(zipped(a1="x", a2="y"), b"a2", b"a1"), "one name"),
    "differs in case only": (lambda: zip_of({"Server.py": "x", "server.py": "y"}), "differ in case"),
    "folder differs in case": (lambda: zip_of({"Src/a.py": "x", "src/b.py": "y"}), "differ in case"),
    "differs in composition only": (lambda: zip_of({"\u00e9.py": "x", "e\u0301.py": "y"}), "one name"),
    "file and folder": (lambda: zip_of({"a": "x", "a/b": "y"}), "one name"),
    "encrypted": (lambda: with_flag(zipped(a="x"), 0x1), "encrypted"),
    "unusual packing": (lambda: zip_of({"a": "x"}, method=zipfile.ZIP_LZMA), "deflate"),
    "too deep": (lambda: zip_of({"/".join("a" * 40): "x"}), "too deep"),
    "long name": (lambda: zip_of({"a" * 300: "x"}), "too long"),
    "nothing in it": (lambda: zip_of({}), "no source"),
    "only what tools made": (lambda: zip_of({"node_modules/a/index.js": "x"}), "no source"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(BadInput, match=words):
        archive_of("source.zip", make())


def test_too_large_an_archive() -> None:
    with pytest.raises(BadInput, match="larger than 10 MB"):
        archive_of("source.zip", b"\0" * (limits.MAX_ARCHIVE_BYTES + 1))


@pytest.mark.parametrize("name", ["source.tar.gz", ".zip", "-rf.zip", "a\nb.zip", "server.PY", ""])
def test_names_of_uploads(name: str) -> None:
    with pytest.raises(BadInput, match="one Python file"):
        archive_of(name, zipped(a="x"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"\xff\xfe", "isn't UTF-8"), (b"a\0b", "NUL"), (b"#" * 2_000_000, "larger than 1 MB")],
)
def test_a_script_is_text(content: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        archive_of("server.py", content)


def test_a_folder_that_holds_everything_is_left_out(tmp_path: Path) -> None:
    opened = archive_of(
        "demo.zip", zip_of({"demo-main/": "", "demo-main/pyproject.toml": "x", "demo-main/a/b.py": "y"})
    )
    assert sorted(opened.members) == ["a/b.py", "pyproject.toml"]
    opened.unpack(tmp_path / "out")
    assert (tmp_path / "out" / "a" / "b.py").read_text() == "y"


def test_what_tools_made_is_left_out() -> None:
    opened = archive_of("a.zip", zip_of({"a.py": "x", ".venv/bin/python": "y", "a/__pycache__/b.pyc": "z"}))
    assert list(opened.members) == ["a.py"]


def test_names_in_utf8_without_the_flag_are_read() -> None:
    assert list(archive_of("a.zip", renamed(zip_of({"XX.py": ""}), b"XX.py", "ä.py".encode())).members) == ["ä.py"]


def test_the_directory_of_a_path_is_no_part_of_an_uploads_name() -> None:
    assert archive_of("C:\\source\\a.zip", zipped(a="x")).filename == "a.zip"


def test_packing_a_folder_gives_the_same_zip_each_time(tmp_path: Path) -> None:
    for file in ("a.py", "b/c.py", ".env", "node_modules/x.js", ".git/config"):
        path = tmp_path / "my project!" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    first, again = pack(tmp_path / "my project!"), pack(tmp_path / "my project!")
    assert first == again
    assert sorted(archive_of(*first).members) == ["a.py", "b/c.py"]


def test_packing_refuses_links_and_what_isnt_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(BadInput, match="symbolic link"):
        pack(tmp_path)
    with pytest.raises(BadInput, match="couldn't be read"):
        pack(tmp_path / "gone")
