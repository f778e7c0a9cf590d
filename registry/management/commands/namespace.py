"""Gives namespaces to accounts and organizations of this site, blocks them, releases them, and shows all that."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import name_get
from common.commands import OperatorCommand
from common.errors import BadInput
from events.actors import OPERATOR
from registry.models import BlockedNamespace, NamespaceGrant
from registry.proofs import namespaces


class Command(OperatorCommand):
    help = (
        "Say who may publish to a namespace: “grant org.example OWNER” for an account or organization of this site, "
        "whose API tokens with the scope registry:publish may then publish there; “withdraw”, “block”, “unblock”; "
        "“release io.github.NAME” lets a new holder of a GitHub name have its namespace. “list” shows all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["grant", "withdraw", "block", "unblock", "release", "list"])
        parser.add_argument("namespace", nargs="?", default="")
        parser.add_argument("owner", nargs="?", default="")
        parser.add_argument("--below", action="store_true", help="grant: namespaces below it too")
        parser.add_argument("--reason", default="", help="block: why, for the operators")

    def handle(self, *args: Any, **options: Any) -> None:
        action, namespace = options["action"], options["namespace"]
        if action == "list":
            self._list()
            return
        if not namespace:
            raise BadInput("namespace_missing", "Name the namespace, as in org.example.")
        if action == "grant":
            owner = name_get(options["owner"])
            namespaces.namespace_grant(actor=OPERATOR, namespace=namespace, owner=owner, with_below=options["below"])
        elif action == "withdraw":
            namespaces.namespace_withdraw(actor=OPERATOR, namespace=namespace, owner=name_get(options["owner"]))
        elif action == "block":
            namespaces.namespace_block(actor=OPERATOR, namespace=namespace, reason=options["reason"])
        elif action == "unblock":
            namespaces.namespace_unblock(actor=OPERATOR, namespace=namespace)
        else:
            namespaces.namespace_release(actor=OPERATOR, namespace=namespace)
        self.stderr.write("Done.")

    def _list(self) -> None:
        for grant in NamespaceGrant.objects.select_related("owner"):
            below = " and below" if grant.with_below else ""
            self.stdout.write(f"{grant.namespace}{below}: {grant.owner.display}")
        for blocked in BlockedNamespace.objects.all():
            self.stdout.write(f"{blocked.namespace}: blocked. {blocked.reason}".rstrip())
