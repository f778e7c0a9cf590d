from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("hosting", "0017_environments_unused_since")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="runner",
            name="silent_since",
            field=models.DateTimeField(blank=True, help_text="when it first did not answer", null=True),
        ),
    ]
