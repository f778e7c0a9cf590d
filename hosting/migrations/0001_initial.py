import common.clock
import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Deployment",
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
                ("name", models.CharField(max_length=64)),
                ("folded_name", models.CharField(editable=False, max_length=64)),
                ("title", models.CharField(blank=True, max_length=100)),
                ("reference", models.CharField(max_length=400)),
                ("kind", models.CharField(max_length=20)),
                (
                    "access",
                    models.CharField(
                        choices=[("private", "Private"), ("public", "Public")],
                        default="private",
                        max_length=10,
                    ),
                ),
                (
                    "isolation",
                    models.CharField(
                        choices=[
                            ("session", "An instance for each session"),
                            ("principal", "An instance for each user and client"),
                            ("shared", "One instance for all"),
                        ],
                        default="session",
                        max_length=10,
                    ),
                ),
                (
                    "limits",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="fields of the runner's Limits; missing ones keep their default",
                    ),
                ),
                (
                    "wanted",
                    models.CharField(
                        choices=[("running", "Running"), ("stopped", "Stopped")],
                        default="running",
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("building", "Building"),
                            ("ready", "Asleep"),
                            ("starting", "Starting"),
                            ("running", "Running"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                            ("deleting", "Being deleted"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(default=common.clock.now, editable=False),
                ),
                (
                    "changed_at",
                    models.DateTimeField(default=common.clock.now, editable=False),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deployments",
                        to="accounts.name",
                    ),
                ),
            ],
            options={
                "ordering": ("owner__folded", "folded_name"),
            },
        ),
        migrations.CreateModel(
            name="Environment",
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
                ("digest", models.CharField(max_length=128, unique=True)),
                ("kind", models.CharField(max_length=20)),
                ("path", models.CharField(max_length=500)),
                ("lock", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("building", "Building"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="ready",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("size_bytes", models.BigIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(default=common.clock.now, editable=False),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeploymentMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=common.clock.now, editable=False),
                ),
                (
                    "deployment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="hosting.deployment",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="deployment",
            name="members",
            field=models.ManyToManyField(
                related_name="deployments_shared_with",
                through="hosting.DeploymentMember",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="DeploymentVersion",
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
                ("number", models.PositiveIntegerField()),
                ("reference", models.CharField(max_length=400)),
                (
                    "resolved",
                    models.CharField(
                        blank=True,
                        help_text='for example "mcp-server-time 2026.10.19"',
                        max_length=400,
                    ),
                ),
                ("argv", models.JSONField(blank=True, default=list)),
                ("env", models.JSONField(blank=True, default=dict)),
                (
                    "read_only",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="absolute paths bound into the sandbox",
                    ),
                ),
                (
                    "tools",
                    models.JSONField(
                        blank=True,
                        help_text="the last tools/list; null until the server was asked",
                        null=True,
                    ),
                ),
                ("server_info", models.JSONField(blank=True, default=dict)),
                ("era", models.CharField(blank=True, max_length=10)),
                (
                    "failure",
                    models.TextField(blank=True, help_text="why the build failed"),
                ),
                ("build_log", models.TextField(blank=True)),
                ("queued_at", models.DateTimeField(default=common.clock.now)),
                ("built_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=common.clock.now, editable=False),
                ),
                (
                    "deployment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="hosting.deployment",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="hosting.environment",
                    ),
                ),
            ],
            options={
                "ordering": ("deployment", "-number"),
            },
        ),
        migrations.AddField(
            model_name="deployment",
            name="current_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="hosting.deploymentversion",
            ),
        ),
        migrations.CreateModel(
            name="Runner",
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
                ("name", models.CharField(max_length=50, unique=True)),
                (
                    "address",
                    models.CharField(
                        help_text="unix:/path or tls:host:port", max_length=200
                    ),
                ),
                ("boot", models.CharField(blank=True, max_length=50)),
                (
                    "state",
                    models.CharField(
                        choices=[("live", "Live"), ("dead", "Not answering")],
                        default="live",
                        max_length=10,
                    ),
                ),
                ("draining", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(default=common.clock.now, editable=False),
                ),
                ("last_seen_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["live", "dead"])),
                        name="runner_state_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Instance",
            fields=[
                (
                    "id",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("state", models.CharField(max_length=10)),
                ("reason", models.TextField(blank=True)),
                ("era", models.CharField(blank=True, max_length=10)),
                ("revision", models.CharField(blank=True, max_length=20)),
                ("pid", models.PositiveIntegerField(default=0)),
                ("memory_bytes", models.BigIntegerField(default=0)),
                ("calls", models.PositiveBigIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                (
                    "deployment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="instances",
                        to="hosting.deployment",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="instances",
                        to="hosting.deploymentversion",
                    ),
                ),
                (
                    "runner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="instances",
                        to="hosting.runner",
                    ),
                ),
            ],
            options={
                "ordering": ("started_at",),
            },
        ),
        migrations.CreateModel(
            name="RunnerPlacement",
            fields=[
                (
                    "deployment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="placement",
                        serialize=False,
                        to="hosting.deployment",
                    ),
                ),
                ("epoch", models.PositiveBigIntegerField(default=0)),
                ("placed_at", models.DateTimeField(default=common.clock.now)),
                (
                    "runner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="placements",
                        to="hosting.runner",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="deploymentmember",
            constraint=models.UniqueConstraint(
                fields=("deployment", "user"), name="deployment_member_once"
            ),
        ),
        migrations.AddIndex(
            model_name="deployment",
            index=models.Index(fields=["state"], name="deployment_by_state"),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.UniqueConstraint(
                fields=("owner", "folded_name"), name="deployment_name_once_per_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "queued",
                            "building",
                            "ready",
                            "starting",
                            "running",
                            "failed",
                            "stopped",
                            "deleting",
                        ],
                    )
                ),
                name="deployment_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.CheckConstraint(
                condition=models.Q(("access__in", ["private", "public"])),
                name="deployment_access_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.CheckConstraint(
                condition=models.Q(("wanted__in", ["running", "stopped"])),
                name="deployment_wanted_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("isolation__in", ["session", "principal", "shared"])
                ),
                name="deployment_isolation_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deploymentversion",
            constraint=models.UniqueConstraint(
                fields=("deployment", "number"), name="version_number_once"
            ),
        ),
    ]
