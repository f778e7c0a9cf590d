from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("hosting", "0019_task_instance")]

    operations: ClassVar = [migrations.RemoveField(model_name="runner", name="silent_since")]
