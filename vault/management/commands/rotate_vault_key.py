"""Gives the vault a new key, and puts everything under it."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from events.actors import OPERATOR
from vault.rotation import vault_key_add, vault_keys_forget, vault_reencrypt


class Command(OperatorCommand):
    help = (
        "Make a new key for stored credentials. A job then puts older ones under it while the site runs; "
        "--forget-old drops the keys that nothing is under any more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", action="store_true", help="re-encrypt here and now, not in a job")
        parser.add_argument("--only-reencrypt", action="store_true", help="no new key: put all under the current one")
        parser.add_argument("--forget-old", action="store_true", help="re-encrypt here, then drop unused keys")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["only_reencrypt"] or options["forget_old"]):
            self.stderr.write(f"The vault's key is {vault_key_add(actor=OPERATOR)} now.")
        if not (options["wait"] or options["forget_old"]):
            current_app.send_task("vault.jobs.reencrypt")
            self.stderr.write("Older credentials are put under it by a job.")
            return
        done, broken = vault_reencrypt(actor=OPERATOR)
        self.stderr.write(f"{done} credentials were put under it; {broken} could not be opened.")
        if options["forget_old"]:
            gone = vault_keys_forget(actor=OPERATOR)
            self.stderr.write(f"Forgotten: {', '.join(gone) or 'no key'}.")
