"""An owner's consent to install scripts and source distributions is for one package, and ends when another one takes
its place. Uploads of one deployment count as one package: they are its owner's own.
"""

from __future__ import annotations

from events.actors import Actor
from events.audit import record
from hosting import kinds
from hosting.models import Deployment

ENDED = (
    "The consent to run install code was for the package before. If this one needs it too, agree again in the settings."
)


def install_consent_end(*, actor: Actor, deployment: Deployment, reference: str) -> bool:
    """In the transaction that makes `reference` what is hosted, before it does. True when a consent ended."""
    if not deployment.runs_install_code or _package(deployment.reference) == _package(reference):
        return False
    Deployment.objects.filter(pk=deployment.pk).update(runs_install_code=False)
    data = {"runs_install_code": False, "reason": f"{reference} is another package"}
    record(actor, "deployment:set_install_code", "deployment", deployment.pk, **data)
    return True


def _package(reference: str) -> tuple[str, str]:
    parsed = kinds.parse(reference)
    return parsed.kind, "" if parsed.kind == "source" else parsed.name
