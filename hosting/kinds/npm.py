"""npm packages: resolved by `npm install --package-lock-only`, installed by `npm ci`, always without install scripts.

The lock has no address of a registry: npm finds each tarball by name, version and its own settings, and checks its
hash.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hosting.kinds import entry_points, interpreters
from hosting.kinds.commands import Command, Finished, LineSeen, Log, run, tool_environment
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import Launch, Locked, Workplace
from hosting.kinds.reference import Reference

RESOLVE_SECONDS = 240
CI_SECONDS = 900
VIEW_SECONDS = 60
NEWEST_SHOWN = 5

_COMMON = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--no-progress",
    "--no-color",
    "--omit-lockfile-registry-resolved",
    "--allow-git=none",
    "--logs-max=0",
)
_ERROR_CODE = re.compile(r"^npm (?:error|ERR!) code (\S+)", re.MULTILINE)
_NOT_FOUND = re.compile(r"'((?:@[^/'\s]+/)?[^@'\s]+)@[^']*'")
_NO_TARGET = re.compile(r"No matching version found for ((?:@[^/\s]+/)?[^@\s]+)@(\S+?)\.?$", re.MULTILINE)
_ERROR_LINE = re.compile(r"^npm (?:error|ERR!) (?!code|A complete log)(.+)$", re.MULTILINE)
# A package can be marked as deprecated later: that mustn't make it another set.
_REMARKS = ("deprecated", "funding", "license")
_NETWORK = {"ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EAI_AGAIN", "ERR_SOCKET_TIMEOUT", "FETCH_ERROR"}


class Npm:
    """The kind `npm`."""

    def runtime(self) -> interpreters.Interpreter:
        return interpreters.node()

    def resolve(self, reference: Reference, folder: Path, work: Workplace) -> Locked:
        runtime = self.runtime()
        _write_manifest(folder, reference.name, reference.version or "latest")
        finished = self._npm(["install", "--package-lock-only", *_COMMON], folder, RESOLVE_SECONDS, work)
        if finished.code:
            raise self._explain(reference, finished.output, folder, work)
        lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
        packages = _checked_packages(lock, reference, work.log)
        version = packages[f"node_modules/{reference.name}"]["version"]
        # What was asked for ("latest") is no part of the set: two ways to the same packages share an environment.
        packages[""] = {"dependencies": {reference.name: version}}
        return Locked(
            kind="npm",
            name=reference.name,
            version=version,
            lock=json.dumps(
                {"lockfileVersion": lock["lockfileVersion"], "requires": True, "packages": packages}, indent=1
            ),
            packages=len(packages) - 1,
            runtime=runtime.version,
            platform=runtime.platform,
        )

    def install(self, locked: Locked, folder: Path, work: Workplace) -> None:
        _write_manifest(folder, locked.name, locked.version)
        (folder / "package-lock.json").write_text(locked.lock, encoding="utf-8")
        work.progress(f"downloading and installing {locked.count}", 0.25)
        finished = self._npm(["ci", "--omit=dev", *_COMMON], folder, CI_SECONDS, work)
        if finished.code:
            raise self._explain(Reference("npm", locked.name, locked.version), finished.output, folder, work)
        work.progress("checking", 0.95)

    def launch(self, locked: Locked, folder: Path) -> Launch:
        modules = folder / "node_modules"
        node = self.runtime().executable
        return Launch(
            argv=[str(node), *entry_points.node_command(modules / locked.name, locked.name)],
            env={
                "PATH": ":".join(dict.fromkeys([f"{modules}/.bin", str(node.parent), "/usr/bin", "/bin"])),
                "LANG": "C.UTF-8",
            },
            read_only=[str(folder), *self.runtime().read_only],
        )

    def _npm(
        self, arguments: list[str], folder: Path, seconds: float, work: Workplace, line_seen: LineSeen | None = None
    ) -> Finished:
        known = {name.lower() for name in tool_environment()}
        env = {} if "npm_config_cache" in known else {"npm_config_cache": str(work.cache / "npm")}
        command = Command(
            [interpreters.npm(), *arguments], cwd=folder, seconds=seconds, env=env, held=work.held, logs_stdout=False
        )
        return run(command, work.log, line_seen)

    def _explain(self, reference: Reference, output: str, folder: Path, work: Workplace) -> BuildFailed:
        """One sentence for what npm printed when it failed."""
        own, log = reference.name, work.log.text()
        code = found[1] if (found := _ERROR_CODE.search(output)) else ""
        if code == "E404" and (found := _NOT_FOUND.search(output)):
            if found[1] == own:
                return BuildFailed(f"There is no package {own} on npm. Check the spelling of its name.", log)
            return BuildFailed(f"{own} needs the package {found[1]}, and there is none of that name on npm.", log)
        if code == "ETARGET" and (found := _NO_TARGET.search(output)):
            if found[1] == own:
                return BuildFailed(
                    f"There is no version {reference.version} of {own} on npm.{self._newest(own, folder, work)}", log
                )
            return BuildFailed(f"{own} needs {found[1]} {found[2]}, and npm has no such version.", log)
        if code in ("E401", "E403"):
            return BuildFailed(
                f"The npm registry refused the request ({code[1:]}). An operator has to look at its settings.", log
            )
        if "CERT" in code:
            return BuildFailed(
                f"The certificate of the npm registry isn't trusted here ({code}). "
                "An operator has to name the right ones, in NODE_EXTRA_CA_CERTS.",
                log,
            )
        if code in _NETWORK or code.startswith("E5"):
            return BuildFailed("The npm registry didn't answer. Try again later.", log, is_transient=True)
        if code == "EALLOWGIT" or "git --no-replace-objects" in output:
            return BuildFailed(f"{own} needs a package from a git repository. Slipway installs from npm only.", log)
        lines = " ".join(_ERROR_LINE.findall(output)[:6])[:600]
        return BuildFailed(f"npm couldn't install {own}: {lines or 'it gave no reason.'}", log)

    def _newest(self, name: str, folder: Path, work: Workplace) -> str:
        quiet = Workplace(work.cache, Log(), work.progress, work.held)
        finished = self._npm(["view", name, "versions", "--json"], folder, VIEW_SECONDS, quiet)
        try:
            versions = json.loads(finished.stdout)
        except ValueError:
            return ""
        newest = [str(version) for version in versions][-NEWEST_SHOWN:] if isinstance(versions, list) else [versions]
        return f" The newest ones are {', '.join(reversed(newest))}."


def _write_manifest(folder: Path, name: str, version: str) -> None:
    manifest = {"private": True, "dependencies": {name: version}}
    (folder / "package.json").write_text(json.dumps(manifest), encoding="utf-8")


def _checked_packages(lock: dict[str, Any], reference: Reference, log: Log) -> dict[str, dict[str, Any]]:
    """The lock's packages, each from the registry and with a hash; logs the install scripts, which aren't run."""
    packages: dict[str, dict[str, Any]] = lock.get("packages", {})
    if f"node_modules/{reference.name}" not in packages:
        raise BuildFailed(f"{reference.name} wasn't in what npm resolved.", log.text())
    skipped = []
    for path, package in packages.items():
        name = path.rpartition("node_modules/")[2]
        if path and not package.get("inBundle") and ("resolved" in package or "integrity" not in package):
            raise BuildFailed(
                f"{reference.name} needs the package {name} from outside the npm registry or without a hash, "
                "so what would be installed can't be fixed.",
                log.text(),
            )
        if package.get("hasInstallScript"):
            skipped.append(name)
        for remark in _REMARKS:
            package.pop(remark, None)
    if skipped:
        log.add(f"Install scripts of these packages are not run: {', '.join(sorted(skipped))}")
    return packages
