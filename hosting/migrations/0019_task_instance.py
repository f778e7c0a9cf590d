from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("hosting", "0018_runner_silent_since")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="task",
            name="instance",
            field=models.CharField(
                blank=True, default="", help_text="on which it runs, once it was heard of", max_length=64
            ),
            preserve_default=False,
        ),
    ]
