"""What somebody wants hosted, and the people it is shared with."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from common import clock, ids
from hosting.states import State


class Deployment(models.Model):
    """What somebody wants hosted. `state` moves only through `services.deployment_move`."""

    class Access(models.TextChoices):
        PRIVATE = "private", gettext_lazy("Private")
        PUBLIC = "public", gettext_lazy("Public")

    class Wanted(models.TextChoices):
        RUNNING = "running", gettext_lazy("Running")
        STOPPED = "stopped", gettext_lazy("Stopped")

    class Isolation(models.TextChoices):
        SESSION = "session", gettext_lazy("An instance for each session")
        PRINCIPAL = "principal", gettext_lazy("An instance for each user and client")
        SHARED = "shared", gettext_lazy("One instance for all")

    class Egress(models.TextChoices):
        PUBLIC = "public", gettext_lazy("Every public address, port 443")
        LISTED = "listed", gettext_lazy("Listed hosts only")
        NONE = "none", gettext_lazy("No network")

    class Approval(models.TextChoices):
        ASK = "ask", gettext_lazy("Changed tools wait for approval")
        AUTOMATIC = "automatic", gettext_lazy("Changed tools are taken as they are")

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    owner = models.ForeignKey("accounts.Name", on_delete=models.PROTECT, related_name="deployments")
    name = models.CharField(max_length=64)
    folded_name = models.CharField(max_length=64, editable=False)
    title = models.CharField(max_length=100, blank=True)
    reference = models.CharField(max_length=400)
    kind = models.CharField(max_length=20)
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.PRIVATE)
    isolation = models.CharField(max_length=10, choices=Isolation.choices, default=Isolation.SESSION)
    limits = models.JSONField(
        default=dict, blank=True, help_text="fields of the runner's Limits; missing ones keep their default"
    )
    inputs = models.JSONField(default=dict, blank=True, help_text="plain values of the declared inputs, by name")
    personal_inputs = models.JSONField(
        default=list, blank=True, help_text='settings that each user brings, as "where:name" (hosting.personal)'
    )
    personal_accounts = models.JSONField(
        default=dict, blank=True, help_text="of these, what is an account: key → provider and scopes (credentials)"
    )
    check_tool = models.CharField(
        max_length=256, blank=True, help_text="tries what a user brought (hosting.credentials.check_tools)"
    )
    check_arguments = models.JSONField(default=dict, blank=True)
    check_confirmed = models.BooleanField(
        default=False, help_text="its owner says that calling it for each user does no harm"
    )
    file_inputs = models.JSONField(
        default=list, blank=True, help_text='variables, as "env:name", whose value an instance is given as a file'
    )
    idle_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="null: the site's default")
    egress = models.CharField(max_length=10, choices=Egress.choices, default=Egress.PUBLIC)
    egress_hosts = models.JSONField(default=list, blank=True, help_text="names, or *.example.org; for `listed`")
    runs_install_code = models.BooleanField(
        default=False, help_text="its owner agreed to install scripts and source distributions (in the sandbox)"
    )
    has_data_folder = models.BooleanField(default=False)
    has_tasks = models.BooleanField(default=True, help_text="its tools may run as tasks")
    hand_off_seconds = models.PositiveIntegerField(
        default=45, help_text="a call that runs longer is answered with a task, for clients that know none; 0: never"
    )
    asks_on_site = models.BooleanField(
        default=True, help_text="what a caller's client can't show is asked on the page of a task"
    )
    tool_approval = models.CharField(max_length=10, choices=Approval.choices, default=Approval.ASK)
    is_anonymous = models.BooleanField(default=False, help_text="callable without an account")
    shares_credentials = models.BooleanField(
        default=False, help_text="its owner confirmed that anonymous callers use its credentials"
    )
    traces_bodies = models.BooleanField(default=False)
    wanted = models.CharField(max_length=10, choices=Wanted.choices, default=Wanted.RUNNING)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(blank=True)
    current_version = models.ForeignKey(
        "DeploymentVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    members: models.ManyToManyField[Any, DeploymentMember] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="DeploymentMember", related_name="deployments_shared_with"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    changed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("owner__folded", "folded_name")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "folded_name"], name="deployment_name_once_per_owner"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="deployment_state_known"),
            models.CheckConstraint(condition=Q(access__in=["private", "public"]), name="deployment_access_known"),
            models.CheckConstraint(condition=Q(wanted__in=["running", "stopped"]), name="deployment_wanted_known"),
            models.CheckConstraint(
                condition=Q(isolation__in=["session", "principal", "shared"]), name="deployment_isolation_known"
            ),
            models.CheckConstraint(
                condition=Q(egress__in=["public", "listed", "none"]), name="deployment_egress_known"
            ),
            models.CheckConstraint(
                condition=Q(tool_approval__in=["ask", "automatic"]), name="deployment_approval_known"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state"], name="deployment_by_state"),
            models.Index(fields=["id"], name="deployment_anonymous", condition=Q(is_anonymous=True)),
        ]
        permissions = (  # of a site: hosting.access.grants
            ("host_packages", "May host packages"),
            ("upload_source", "May upload source"),
            ("add_remotes", "May add remote servers"),
            ("allow_anonymous", "May let anybody call a server without an account"),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """ "owner/name" as shown; needs `owner` selected."""
        return f"{self.owner.display}/{self.name}"

    @property
    def is_for_its_users(self) -> bool:
        """It did not start for want of what each user brings, so it will for them; needs `current_version` selected."""
        missing = self.current_version.missing if self.current_version else ""
        own = {key.partition(":")[2] for key in self.personal_inputs}
        return self.state == State.FAILED and bool(missing) and missing in own

    @property
    def tool_count(self) -> int | None:
        """None until the server was asked; needs `current_version` selected."""
        tools = self.current_version.tools if self.current_version else None
        return None if tools is None else len(tools)


class DeploymentMember(models.Model):
    """A person who may call and see somebody else's private deployment."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "user"], name="deployment_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.deployment_id}"
