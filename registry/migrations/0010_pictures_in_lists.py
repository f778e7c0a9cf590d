"""Lists show icons, pages know how large pictures are, and READMEs of before there were pictures are fetched again.

Which icon is shown is said as registry.images.addresses did when this was written; an entry that changes says it anew.
"""

import json

from django.db import migrations, models

_BATCH = 500


def icons_fill(apps, schema_editor):
    entries, versions = apps.get_model("registry", "SearchEntry"), apps.get_model("registry", "ServerVersion")
    found = versions.objects.filter(is_latest=True, document__contains='"icons"').values_list("server_id", "document")
    icons = {server_id: icon for server_id, document in found.iterator(_BATCH) if (icon := _icon(document))}
    for server_id, icon in icons.items():
        entries.objects.filter(pk=server_id).update(icon=icon)


def _icon(document):
    icons = json.loads(document).get("icons")
    usable = [one for one in icons if isinstance(one, dict) and _is_usable(one.get("src"))] if isinstance(icons, list) else []
    chosen = next((one for one in usable if not one.get("theme")), usable[0] if usable else None)
    return chosen["src"].strip() if chosen else ""


def _is_usable(src):
    if not isinstance(src, str) or len(src) > 2048 or "@" in src or "#" in src:
        return False
    return src.strip().startswith("https://") and not src.lower().partition("?")[0].endswith((".svg", ".svgz"))


class Migration(migrations.Migration):
    dependencies = [("registry", "0009_images")]
    operations = [
        migrations.AddField(
            model_name="searchentry",
            name="icon",
            field=models.CharField(blank=True, default="", help_text="where the one that pages show is fetched", max_length=2048),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="storedimage",
            name="width",
            field=models.PositiveSmallIntegerField(default=0, help_text="in pixels; 0: nothing to show"),
        ),
        migrations.AddField(
            model_name="storedimage", name="height", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AlterField(
            model_name="readme",
            name="again_at",
            field=models.DateTimeField(blank=True, help_text="when it is fetched anew for the same version", null=True),
        ),
        migrations.RunPython(icons_fill, migrations.RunPython.noop),
        migrations.RunSQL("UPDATE registry_storedimage SET until = now() WHERE until > now()", migrations.RunSQL.noop),
        migrations.RunSQL(
            "UPDATE registry_readme SET again_at = now()"
            " WHERE images = '{}' AND (text LIKE '%![%' OR text ILIKE '%<img%')",
            migrations.RunSQL.noop,
        ),
    ]
