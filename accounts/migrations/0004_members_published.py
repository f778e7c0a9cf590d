"""Until now every member of an organization could host in its name. They keep that."""

from __future__ import annotations

from django.db import migrations


def keep(apps, schema_editor):
    apps.get_model("accounts", "Membership").objects.filter(role="member").update(role="publisher")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_roles_and_invitations")]

    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]
