"""Hosts a server from a shell."""

from __future__ import annotations

import json
import re
import time
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import selectors as accounts
from accounts.models import Name
from accounts.services import user_create
from common.commands import OperatorCommand
from events.actors import OPERATOR
from hosting import kinds, services
from hosting.access.anonymous import anonymous_set
from hosting.building.registry_entries import Entry, entry_find
from hosting.changing import deployment_change
from hosting.configuration.given import declared_of
from hosting.configuration.inputs import Plain, missing
from hosting.credentials.accounts import accounts_set, chosen_now
from hosting.credentials.personal import accounts_chosen
from hosting.kinds import server_json
from hosting.kinds.packing import pack
from hosting.models import Deployment, DeploymentVersion
from hosting.routing import OWN_ACCOUNT, resource_url
from hosting.states import State
from hosting.store.sources import source_reference, source_store

POLL_SECONDS = 0.25
HINT_SECONDS = 10.0


class Command(OperatorCommand):
    help = (
        "Host a server and print its MCP URL. The account of --owner is made if need be, without a way to sign in "
        "(see sign_in_link). The same again changes nothing; another reference deploys a new version."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reference",
            nargs="?",
            help="for example pypi:mcp-server-time, npm:@scope/package@1.2.3, remote:https://example.org/mcp "
            "registry:io.github.owner/name or source:PATH of a Python file, a zip or a folder",
        )
        parser.add_argument(
            "--server-json",
            type=Path,
            metavar="FILE",
            help="instead of a reference: a server.json, which names a package or a remote server",
        )
        parser.add_argument("--owner", required=True, help="the account that owns it")
        parser.add_argument("--name", required=True, help="its name in the URL")
        parser.add_argument(
            "--access", choices=Deployment.Access.values, help="who may call it with a token (private when it is new)"
        )
        parser.add_argument(
            "--anonymous", action=BooleanOptionalAction, help="anybody may call it without an account (off when new)"
        )
        parser.add_argument(
            "--share-credentials",
            action="store_true",
            help="with --anonymous: I know that anybody will use the secrets in its settings",
        )
        parser.add_argument(
            "--personal",
            action="append",
            metavar="NAME",
            help="a setting that each user brings; once for each, --personal= for none",
        )
        parser.add_argument(
            "--account",
            action="append",
            metavar="'NAME PROVIDER SCOPE…'",
            help="a setting for which each user connects an account; once for each, --account= for none",
        )
        parser.add_argument(
            "--each-signs-in",
            action=BooleanOptionalAction,
            help="each user signs in to the remote server with an account of their own there",
        )
        parser.add_argument("--check-tool", metavar="TOOL", help="a tool that tries what a user brought")
        parser.add_argument("--check-arguments", default="{}", metavar="JSON", help="of that tool, for every user")
        parser.add_argument(
            "--check-confirmed", action="store_true", help="calling it does no harm, though it may not only read"
        )
        parser.add_argument(
            "--wait", action=BooleanOptionalAction, default=True, help="wait until it is built (the default)"
        )
        parser.add_argument("--timeout", type=float, default=1800.0, help="seconds to wait at most")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["reference"]) == bool(options["server_json"]):
            raise CommandError("Name either a reference or --server-json FILE.")
        chosen = self._chosen(options["server_json"]) if options["server_json"] else None
        packed = None if chosen else self._packed(options["reference"])
        entry = self._entry(options["reference"] or "")
        chosen = entry.chosen if entry else chosen
        owner = self._owner(options["owner"])
        deployment, version = services.deployment_host(
            actor=OPERATOR,
            owner=owner,
            name=options["name"],
            reference=chosen.wanted if chosen else self._reference(owner, options["reference"], packed),
            access=options["access"],
            declared=chosen.declared if chosen else None,
        )
        if entry is not None:
            entry.note(version)
        given = Plain.from_json(deployment.inputs)
        for one in missing(declared_of(version), [*given.values, *given.sealed_at]) if chosen else ():
            self.stderr.write(f"{deployment.label} asks for {one.name}: {one.description or 'no description'}")
        if options["anonymous"] is not None:
            anonymous_set(
                actor=OPERATOR,
                deployment=deployment,
                is_on=options["anonymous"],
                shares_credentials=options["share_credentials"],
            )
        self._bring(deployment, options)
        if options["wait"]:
            self._wait(deployment, version, options["timeout"])
        self.stdout.write(resource_url(owner.folded, deployment.folded_name))
        self.stderr.write(
            f"For a token: ./manage.py issue_token --user {owner.display} --deployment {deployment.label}"
        )

    def _bring(self, deployment: Deployment, options: dict[str, Any]) -> None:
        """What each user brings, and how it is tried; left as it is where no flag says so."""
        given: dict[str, Any] = {}
        if options["personal"] is not None:
            given["personal_inputs"] = [name for name in options["personal"] if name]
        if options["check_tool"] is not None:
            try:
                arguments = json.loads(options["check_arguments"])
            except ValueError as error:
                raise CommandError(f"--check-arguments isn't JSON: {error}.") from error
            given |= {"check_tool": options["check_tool"], "check_arguments": arguments}
            given["check_confirmed"] = options["check_confirmed"]
        if given:
            deployment_change(actor=OPERATOR, deployment=deployment, given=given)
        self._accounts(deployment, options["account"], options["each_signs_in"])

    def _accounts(self, deployment: Deployment, lines: list[str] | None, is_own: bool | None) -> None:
        """Each flag leaves what the other one says."""
        if lines is None and is_own is None:
            return
        deployment.refresh_from_db()
        chosen = chosen_now(deployment) if lines is None else accounts_chosen(deployment, lines)
        is_own = OWN_ACCOUNT in deployment.personal_accounts if is_own is None else is_own
        accounts_set(actor=OPERATOR, deployment=deployment, chosen=chosen, is_own=is_own)

    def _chosen(self, file: Path) -> server_json.Chosen:
        try:
            chosen = server_json.choose(json.loads(file.read_text(encoding="utf-8")))
        except OSError as error:
            raise CommandError(f"{file} couldn't be read: {error.strerror}.") from error
        except ValueError as error:
            raise CommandError(f"{file} isn't JSON: {error}.") from error
        for notice in chosen.notices:
            self.stderr.write(notice)
        return chosen

    def _entry(self, text: str) -> Entry | None:
        return entry_find(kinds.parse(text)) if text.strip().startswith("registry:") else None

    def _packed(self, text: str) -> tuple[str, bytes] | None:
        """What is at a path of this machine; None where the reference names something else, which is well-formed then.
        Before anybody's account is made for it."""
        kind, colon, path = text.strip().partition(":")
        if not colon and Path(text).expanduser().exists():
            raise CommandError(f"{text} is a path of this machine. To host what is there: source:{text}")
        if kind == "source" and path and not re.fullmatch(r"[0-9a-f]{64}", path):
            return pack(Path(path).expanduser())
        kinds.parse(text)
        return None

    def _reference(self, owner: Name, text: str, packed: tuple[str, bytes] | None) -> str:
        """A path of this machine is uploaded; everything else stands for itself."""
        if packed is None:
            return text
        filename, content = packed
        source = source_store(actor=OPERATOR, owner=owner, filename=filename, content=content)
        return source_reference(source)

    def _owner(self, name: str) -> Name:
        found = accounts.name_find(name)
        if found is None:
            user_create(actor=OPERATOR, name=name)
            found = accounts.name_get(name)
            self.stderr.write(
                f"Made the account {found.display}. "
                f"For a way to sign in: ./manage.py sign_in_link --user {found.display}"
            )
        return found

    def _wait(self, deployment: Deployment, version: DeploymentVersion, timeout: float) -> None:
        """Follows the rows: they say everything, whichever worker builds. Ends when the version is built or failed."""
        end = time.monotonic() + timeout
        hint_at = time.monotonic() + HINT_SECONDS
        said = ""
        while True:
            version.refresh_from_db(fields=["built_at", "failure", "resolved"])
            if version.built_at:
                self.stderr.write(f"{deployment.label}: built {version.resolved}")
                return
            if version.failure:
                raise CommandError(f"{deployment.label} could not be built: {version.failure}")
            deployment.refresh_from_db(fields=["state", "reason"])
            if deployment.state in (State.STOPPED, State.DELETING):
                raise CommandError(f"{deployment.label} was {deployment.get_state_display().lower()} meanwhile")
            if deployment.reason != said:
                said = deployment.reason
                self.stderr.write(f"{deployment.label}: {said}")
            if hint_at and deployment.state == State.QUEUED and time.monotonic() > hint_at:
                hint_at = 0.0
                self.stderr.write("Nobody has begun yet. Is Slipway running (make up)?")
            if time.monotonic() > end:
                raise CommandError(f"{deployment.label} wasn't built within {timeout:g} seconds: {deployment.reason}")
            time.sleep(POLL_SECONDS)
