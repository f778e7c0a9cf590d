"""Domains that stand for namespaces: their grammar, and what a proof of one permits. Pure.

`example.org` → `org.example`. Letters keep their case, as in the official registry: who holds a domain holds every
spelling of it.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext

from registry import permissions
from registry.permissions import Permission
from registry.proofs.errors import ProofRefused

MAX_CHARACTERS = 253
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)


def check(domain: str, *, github: str) -> None:
    """Raises ProofRefused. `github` is the namespace that only GitHub's own proofs give: "io.github".

    A page at NAME.github.io can be written by everybody who may push to one repository of NAME, so it proves nothing
    about the whole account.
    """
    if len(domain) > MAX_CHARACTERS or not _DOMAIN.fullmatch(domain) or domain.rpartition(".")[2].isdigit():
        raise ProofRefused(gettext("The domain isn't valid: write it as in example.org, without scheme, port or path."))
    if (label(domain).lower() + ".").startswith(github.lower() + "."):
        raise ProofRefused(
            gettext(
                "Namespaces below %(github)s belong to GitHub accounts. Log in with GitHub to prove that one is yours."
            )
            % {"github": github}
        )


def label(domain: str) -> str:
    """The namespace of a domain."""
    return ".".join(reversed(domain.split(".")))


def granted(domain: str, *, with_subdomains: bool) -> tuple[Permission, ...]:
    """A TXT record speaks for what is below it too, as in ACME's DNS-01; a web page speaks for its host alone."""
    name = label(domain)
    found = (permissions.publish(permissions.namespace(name)),)
    return (*found, permissions.publish(permissions.below(name))) if with_subdomains else found
