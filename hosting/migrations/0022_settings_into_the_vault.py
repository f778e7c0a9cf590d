"""Secret settings of deployments go from the column `sealed` into the vault, where each is a row of its own.

What can't be opened (the site's sealing key is another one now) goes there as it is: it opens there no more than here,
its owner is told so by the same words, and whoever finds the old key still has it.
"""

import json
from datetime import datetime

from django.db import migrations

from common import clock
from common.sealing import BrokenSealError, unseal
from hosting.credentials import bound
from vault import envelope, keys
from vault.envelope import Place

PURPOSE = b"slipway hosting deployment settings 1"
OLD_KEY = "sealing_key"


def move(apps, schema_editor):
    Deployment = apps.get_model("hosting", "Deployment")
    kept = []
    for deployment in Deployment.objects.exclude(sealed=b"").select_related("current_version", "owner").iterator():
        if not _moved(apps, deployment):
            kept.append(f"{deployment.owner.display}/{deployment.name}")
    if kept:
        print(
            f"\n  The secret settings of {', '.join(kept)} can't be opened: they were sealed with another sealing key."
            " They are kept as they are; their owners set them again.",
            end="",
        )


def _moved(apps, deployment):
    raw = bytes(deployment.sealed)
    set_at = (deployment.inputs or {}).get("sealed_at") or {}
    try:
        values = json.loads(unseal(PURPOSE, raw, f"deployment:{deployment.pk}".encode()))
    except BrokenSealError:
        values = None
    Secret = apps.get_model("vault", "Secret")
    provider = keys.provider()
    for name in set_at if values is None else values:
        row = Secret(scope="deployment", deployment_id=deployment.pk, name=name, version=1, given_to=_given(deployment))
        row.set_at = datetime.fromisoformat(set_at[name]) if name in set_at else clock.now()
        if values is None:
            row.key_id, row.wrapped, row.body = OLD_KEY, b"", raw
        else:
            place = Place("deployment", str(deployment.pk), str(deployment.pk), name, 1)
            sealed = envelope.seal(provider, place, values[name])
            row.key_id, row.wrapped, row.body = sealed.key_id, sealed.wrapped, sealed.body
        row.save()
    return values is not None


def _given(deployment):
    """They go on to where they went until now."""
    version = deployment.current_version
    if version is None:
        return bound.given_by_owner(bound.package_of(deployment.reference))
    return bound.given_by_owner(bound.package_of(version.reference, (version.remote or {}).get("url", "")))


class Migration(migrations.Migration):
    dependencies = [
        ("hosting", "0021_personal_credentials"),
        ("vault", "0002_given_to"),
    ]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
