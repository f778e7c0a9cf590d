"""Packages that run code when they are installed: never without consent, and with it in a box."""

from __future__ import annotations

import http.server
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from hosting import environments
from hosting.environments import BuildChoices, BuildFailed
from hosting.kinds import parse
from hosting.kinds.archive import archive_of
from tests.hosting.environments.test_archive import zip_of
from tests.packages.local_index import LocalIndex

CONSENT = BuildChoices(runs_install_code=True)
SERVER = {"index.js": "console.log('serving')"}
# Tries what a thief would, and writes down what came of it.
HOSTILE = """
const fs = require("node:fs"), net = require("node:net"), { spawn, execSync } = require("node:child_process");
const found = {};
const attempt = (name, work) => {
  try { found[name] = String(work()); } catch (error) { found[name] = error.code || "failed"; }
};
attempt("secret", () => fs.readFileSync(SECRET, "utf8"));
attempt("shadow", () => fs.readFileSync("/etc/shadow", "utf8").length);
attempt("home", () => fs.readdirSync(HOSTHOME).length);
attempt("store", () => fs.readdirSync(STORE).join());
attempt("environment", () => Object.entries(process.env).filter(([k, v]) => v.includes("hunter2")).length);
attempt("parent", () => fs.readFileSync("/proc/1/environ", "utf8").includes("hunter2"));
attempt("outside", () => fs.writeFileSync(OUTSIDE + "/planted", "x"));
attempt("cache", () => fs.writeFileSync(STORE + "/.downloads/planted", "x"));
attempt("system", () => fs.writeFileSync("/usr/bin/planted", "x"));
attempt("npmrc", () => fs.writeFileSync(HOSTHOME + "/.npmrc-planted", "x"));
attempt("mount", () => execSync("mount -t tmpfs none /tmp 2>&1"));
attempt("sudo", () => process.setuid(0));
spawn("sleep", ["DAEMON"], { detached: true, stdio: "ignore" }).unref();
const dial = (name, host, port) => new Promise((done) => {
  const socket = net.connect({ host, port });
  const end = (text) => { found[name] = text; socket.destroy(); done(); };
  socket.setTimeout(3000, () => end("timeout")).on("error", (error) => end(error.code || "failed"));
  socket.on("connect", () => socket.write("GET / HTTP/1.0\\r\\n\\r\\n")).on("data", (data) => end("read " + data));
  socket.on("end", () => end("ended"));
});
(async () => {
  await dial("neighbour", "127.0.0.1", NEIGHBOUR);
  await dial("metadata", "169.254.169.254", 80);
  await dial("elsewhere", "93.184.215.14", 443);
  fs.writeFileSync("found.json", JSON.stringify(found));
})();
"""


def sdist(name: str, version: str, code: str) -> tuple[str, bytes]:
    """A source distribution with a build backend of its own, which runs `code` and makes a wheel of nothing."""
    backend = f"""
import os, zipfile
{code}
def build_wheel(folder, config_settings=None, metadata_directory=None):
    file = "{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, file), "w") as wheel:
        info = "{name}-{version}.dist-info"
        wheel.writestr("{name}.py", "def main():\\n    print(FOUND)\\nFOUND = " + repr(globals().get("FOUND", "")))
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/entry_points.txt", "[console_scripts]\\n{name} = {name}:main\\n")
        wheel.writestr(info + "/RECORD", "")
    return file
"""
    project = f'[project]\nname="{name}"\nversion="{version}"\n'
    project += '[build-system]\nrequires=[]\nbuild-backend="backend"\nbackend-path=["."]\n'
    files = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
    files |= {"pyproject.toml": project, "backend.py": backend}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{name}-{version}.tar.gz", packed.getvalue()


@contextmanager
def neighbour() -> Iterator[http.server.HTTPServer]:
    """Another service of this machine, beside the index."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def build(reference: str, store: Path, choices: BuildChoices = CONSENT) -> environments.Built:
    return environments.build(parse(reference), store, lambda text, part: None, choices)


def add_scripted(index: LocalIndex, name: str, script: str, files: Mapping[str, str] = SERVER) -> None:
    index.add_npm(
        name, "1.0.0", {**files, "install.js": script}, bin={name: "index.js"}, hasInstallScript=True,
        scripts={"postinstall": "node install.js"},
    )  # fmt: skip


def running(word: str) -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                found.append(pid)
        except OSError:
            continue
    return found


def test_hostile_install_script_harms_nothing(
    index: LocalIndex, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secrets" / "sealing_key"
    secret.parent.mkdir()
    secret.write_text("hunter2")
    secret.chmod(0o644)
    monkeypatch.setenv("SITE_SECRET", "hunter2")
    monkeypatch.setenv("NPM_CONFIG__AUTH", "hunter2")
    store.mkdir()
    daemon = str(86_400 + os.getpid())
    with neighbour() as other:
        names = {
            "SECRET": str(secret), "HOSTHOME": str(Path.home()), "STORE": str(store), "OUTSIDE": str(tmp_path),
            "NEIGHBOUR": other.server_address[1],
        }  # fmt: skip
        script = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in names.items()) + HOSTILE
        add_scripted(index, "thief", script.replace("DAEMON", daemon))
        built = build("npm:thief", store)
    found = json.loads((Path(built.path) / "node_modules/thief/found.json").read_text())
    assert found.pop("environment") == "0"
    assert found.pop("parent") in ("false", "EACCES")
    assert found.pop("store") in (".building", "ENOENT")  # the way to its own folder
    assert found.pop("metadata").startswith(("read HTTP/1.1 403", "ECONN"))
    assert found.pop("neighbour") == "ECONNREFUSED"
    assert found.pop("elsewhere") in ("ECONNRESET", "ended", "read \x15\x03\x03\x00\x02\x021")
    assert set(found.values()) <= {"ENOENT", "EACCES", "EROFS", "EPERM", "EINVAL", "failed"}, list(found.items())
    assert set(found) == {"secret", "shadow", "home", "outside", "cache", "system", "npmrc", "mount", "sudo"}
    assert not running(daemon)
    assert not list(tmp_path.rglob("planted")) and not (Path.home() / ".npmrc-planted").exists()
    assert "hunter2" not in built.log


def test_without_consent_it_never_runs(index: LocalIndex, store: Path) -> None:
    add_scripted(index, "thief", "require('node:fs').writeFileSync('ran', 'x')")
    built = build("npm:thief", store, BuildChoices())
    assert not (Path(built.path) / "node_modules/thief/ran").exists()
    assert "Install scripts of these packages are not run: thief" in built.log


def test_what_an_install_script_makes_is_installed(index: LocalIndex, store: Path) -> None:
    add_scripted(index, "maker", "require('node:fs').writeFileSync('made.node', 'binary')")
    built = build("npm:maker", store)
    made = Path(built.path) / "node_modules/maker/made.node"
    assert made.read_text() == "binary"
    assert made.stat().st_uid == os.geteuid() and made.stat().st_mode & 0o7777 == 0o444
    assert not (Path(built.path) / ".tool-cache").exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("fs.symlinkSync('/etc/shadow', 'README.md')", "README.md is a link that leads out of the package"),
        ("fs.symlinkSync('../../../../..', 'up')", "up is a link that leads out of the package"),
        ("require('node:child_process').execSync('mkfifo pipe')", "pipe is neither a file nor a folder"),
        ("fs.writeFileSync('x', ''); fs.chmodSync('x', 0o4755)", ""),
    ],
)  # fmt: skip
def test_what_it_leaves_leads_nobody_elsewhere(index: LocalIndex, store: Path, script: str, words: str) -> None:
    add_scripted(index, "trap", f"const fs = require('node:fs'); {script}")
    if words:
        with pytest.raises(BuildFailed, match=words):
            build("npm:trap", store)
    else:
        built = build("npm:trap", store)
        assert (Path(built.path) / "node_modules/trap/x").stat().st_mode & 0o7000 == 0


def test_install_script_that_fails_is_said(index: LocalIndex, store: Path) -> None:
    add_scripted(index, "broken", "console.error('no compiler here'); process.exit(3)")
    with pytest.raises(BuildFailed) as caught:
        build("npm:broken", store)
    assert "no compiler here" in caught.value.log


def test_install_script_that_needs_more_network_is_told(index: LocalIndex, store: Path) -> None:
    script = "fetch('https://93.184.215.14/binary').catch(() => process.exit(1))"
    add_scripted(index, "fetcher", script)
    with pytest.raises(BuildFailed) as caught:
        build("npm:fetcher", store)
    assert "egress: refused 93.184.215.14:443: not among the allowed hosts" in caught.value.log


def test_source_distribution_is_built_in_the_box(index: LocalIndex, store: Path, tmp_path: Path) -> None:
    (tmp_path / "sealing_key").write_text("hunter2")
    code = f"""
FOUND = {{}}
for path in ({str(tmp_path / "sealing_key")!r}, "/etc/shadow", {str(Path.home())!r}):
    try:
        FOUND[path] = open(path).read() if os.path.isfile(path) else os.listdir(path)
    except OSError as error:
        FOUND[path] = error.strerror
    try:
        open(os.path.dirname(path) + "/planted", "w")
        FOUND[path] = "written"
    except OSError:
        pass
"""
    name, content = sdist("thing", "1.0", code)
    index._add_file("thing", name, content)
    with pytest.raises(BuildFailed):
        build("pypi:thing", store, BuildChoices())
    built = build("pypi:thing", store)
    module = next(Path(built.path).rglob("thing.py")).read_text()
    assert "hunter2" not in module and "written" not in module and "No such file" in module
    assert not (tmp_path / "planted").exists()


def test_site_without_a_sandbox_says_so(index: LocalIndex, store: Path) -> None:
    add_scripted(index, "maker", "require('node:fs').writeFileSync('made', 'x')")
    built = build("npm:maker", store, BuildChoices(runs_install_code=True, sandbox="insecure"))
    assert (Path(built.path) / "node_modules/maker/made").exists()
    assert "without a sandbox" in built.log


def test_endless_install_script_is_stopped(index: LocalIndex, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hosting.kinds.npm_sets.REBUILD_SECONDS", 3)
    add_scripted(index, "sleeper", "setInterval(() => {}, 1000)")
    with pytest.raises(BuildFailed, match="wasn't done after 3 seconds"):
        build("npm:sleeper", store)


BACKEND = """
import os, zipfile
RECORD = "thing-1.0.dist-info/"
def build_wheel(folder, config=None, metadata=None):
    try:
        open("/outside-planted", "w"); said = "wrote outside"
    except OSError as error:
        said = type(error).__name__
    files = {
        "made.py": f"def main(): print('made by the backend', {said!r}, {'SECRET_WORD' in os.environ})",
        RECORD + "METADATA": "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n",
        RECORD + "WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        RECORD + "entry_points.txt": "[console_scripts]\\nthing = made:main\\n",
        RECORD + "RECORD": "",
    }
    with zipfile.ZipFile(os.path.join(folder, "thing-1.0-py3-none-any.whl"), "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return "thing-1.0-py3-none-any.whl"
"""


def test_backend_of_uploaded_source_runs_with_consent_only(
    index: LocalIndex, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_WORD", "hunter2")
    project = '[project]\nname = "thing"\nversion = "1.0"\n[project.scripts]\nthing = "made:main"\n'
    project += '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    archive = archive_of("thing.zip", zip_of({"pyproject.toml": project, "backend.py": BACKEND}))
    reference = parse(f"source:{archive.digest}")
    with pytest.raises(BuildFailed, match="allow install code"):
        environments.build(reference, store, lambda text, part: None, BuildChoices(archive=archive))
    choices = BuildChoices(archive=archive, runs_install_code=True)
    built = environments.build(reference, store, lambda text, part: None, choices)
    ran = subprocess.run(built.argv, env=built.env, cwd="/", capture_output=True, text=True, check=True)
    assert ran.stdout in ("made by the backend OSError False\n", "made by the backend PermissionError False\n")
    assert not Path("/outside-planted").exists()
