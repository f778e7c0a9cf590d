"""Makes wheels, source archives and npm tarballs in memory, from the text of their files."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any


def wheel(
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    scripts: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
    requires_python: str = "",
    description: str = "",
) -> tuple[str, bytes, bytes]:
    """The file name, bytes and METADATA of a pure wheel; `scripts` are console scripts, command → target."""
    plain = name.replace("-", "_").replace(".", "_")
    info = f"{plain}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    metadata += [f"Requires-Python: {requires_python}"] if requires_python else []
    contents = {
        **files,
        f"{info}/METADATA": "\n".join([*metadata, "", description]) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if scripts:
        lines = "".join(f"{command} = {target}\n" for command, target in scripts.items())
        contents[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
    record = "".join(f"{path},{_record_hash(text)},{len(text.encode())}\n" for path, text in contents.items())
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    return f"{plain}-{version}-py3-none-any.whl", packed.getvalue(), contents[f"{info}/METADATA"].encode()


def source_archive(name: str, version: str) -> tuple[str, bytes]:
    """A package without a wheel. Whoever builds it runs its setup.py, which fails loudly."""
    files = {"setup.py": "raise SystemExit('foreign code was run')", "PKG-INFO": f"Name: {name}\nVersion: {version}\n"}
    return f"{name}-{version}.tar.gz", _tarball(f"{name}-{version}", files)


def npm_tarball(name: str, version: str, files: Mapping[str, str], **manifest: Any) -> bytes:
    """An npm package; `manifest` is what package.json has besides name and version."""
    package = {"name": name, "version": version, **manifest}
    return _tarball("package", {"package.json": json.dumps(package), **files})


def _tarball(top: str, files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size = len(text.encode())
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def _record_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
