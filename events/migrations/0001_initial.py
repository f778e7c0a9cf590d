import common.clock
import common.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new_uuid,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("actor", models.CharField(max_length=100)),
                (
                    "action",
                    models.CharField(
                        help_text='"subject:verb", for example "deployment:create"',
                        max_length=100,
                    ),
                ),
                ("subject_type", models.CharField(max_length=50)),
                ("subject_id", models.CharField(max_length=100)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("request_id", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "ordering": ("-at", "-id"),
                "indexes": [
                    models.Index(
                        fields=["subject_type", "subject_id", "-at"],
                        name="audit_by_subject",
                    ),
                    models.Index(fields=["actor", "-at"], name="audit_by_actor"),
                ],
            },
        ),
    ]
