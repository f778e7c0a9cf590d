"""A call made durable: what was asked, how far it came, and what came of it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from common import clock, ids
from hosting.models.deployments import Deployment
from hosting.models.ordered import OrderedJSONField
from hosting.models.runners import Runner
from hosting.tasks.states import OPEN, Outcome, State


def new_task_id() -> str:
    """192 bits: whoever knows a task's id has still to be its principal, but must not be able to guess one."""
    return ids.random_token(192)


class Task(models.Model):
    """One task, whatever client began it. `state` moves only through `hosting.tasks.services`.

    `principal` is who it belongs to: everybody else is told that there is no such task. `exchange` is the runner's
    id of the call, set before the call is opened, so that opening it twice runs it once.
    """

    class Origin(models.TextChoices):
        LEGACY = "2025-11-25", gettext_lazy("Asked for by a client of 2025-11-25")
        MODERN = "2026-07-28", gettext_lazy("Offered to a client of 2026-07-28")
        HANDED_OFF = "handed_off", gettext_lazy("Handed off after the time limit of a call")
        PAGE = "page", gettext_lazy("Started on the site")

    id = models.CharField(primary_key=True, max_length=64, default=new_task_id, editable=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="tasks")
    version = models.ForeignKey("DeploymentVersion", null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="tasks")
    principal = models.CharField(max_length=200, help_text="the token's subject, or the anonymous session")
    client = models.CharField(max_length=200, blank=True, help_text="the OAuth client")
    client_info = models.TextField(blank=True, help_text="the client's Implementation, raw JSON")
    capabilities = models.TextField(blank=True, help_text="the client's capabilities, raw JSON")
    origin = models.CharField(max_length=10, choices=Origin.choices)
    revision = models.CharField(max_length=20, help_text="the protocol revision the call is opened with")

    tool = models.CharField(max_length=256)
    params = models.TextField(help_text="params of tools/call as they came, raw JSON")
    progress_token = models.CharField(max_length=600, blank=True, help_text="of the client, raw JSON")
    state = models.CharField(max_length=15, choices=[(s.value, s.value) for s in State], default=State.ACCEPTED)
    outcome = models.CharField(max_length=10, choices=[(o.value, o.value) for o in Outcome], blank=True)
    reason = models.TextField(blank=True, help_text="how it goes, or why it ended so, in words")
    progress = models.JSONField(default=dict, blank=True)
    questions = OrderedJSONField(default=dict, blank=True, help_text="open ones by key: method, params")
    elicitation = models.ForeignKey(
        "Elicitation", null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks", db_index=False,
        help_text="the page that a lacking one waits for",
    )  # fmt: skip
    answered = models.JSONField(default=dict, blank=True, help_text="by key: from where the answer came that counted")
    samples = models.JSONField(default=list, blank=True, help_text="progress over time (hosting.tasks.pace)")

    session = models.CharField(max_length=100, blank=True, help_text="the legacy session at the runner, while it lives")
    runner = models.ForeignKey(Runner, null=True, on_delete=models.SET_NULL, related_name="tasks")
    exchange = models.CharField(max_length=200, blank=True)
    instance = models.CharField(max_length=64, blank=True, help_text="on which it runs, once it was heard of")
    exchange_owner = models.CharField(max_length=300, blank=True)
    last_seq = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    may_run_again = models.BooleanField(default=False, help_text="the tool's hints and its owner allow it")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    ttl_ms = models.PositiveBigIntegerField(null=True, blank=True, help_text="null: unlimited")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now)
    looked_at = models.DateTimeField(default=clock.now, help_text="when its runner was last known to have it")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    result_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="task_outcome_with_the_end", condition=Q(state=State.ENDED, outcome__gt="") | Q(outcome="")
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["deployment", "principal", "-created_at", "-id"], name="task_by_principal"),
            models.Index(fields=["deployment", "-created_at", "-id"], name="task_by_deployment", include=["outcome"]),
            models.Index(fields=["user", "-created_at"], name="task_by_user"),
            models.Index(fields=["state", "looked_at"], name="task_open", condition=Q(state__in=sorted(OPEN))),
            models.Index(fields=["elicitation"], name="task_by_elicitation", condition=Q(elicitation__isnull=False)),
            models.Index(fields=["expires_at"], name="task_expiring", condition=Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.state} {self.outcome}".rstrip()

    @property
    def is_ended(self) -> bool:
        return self.state == State.ENDED


class TaskResult(models.Model):
    """What came of a task: raw JSON of the result, or of the error. Apart, so that lists don't read it."""

    task = models.OneToOneField(Task, primary_key=True, on_delete=models.CASCADE, related_name="result")
    body = models.BinaryField(help_text="empty where it is stored elsewhere")
    stored = models.CharField(max_length=200, blank=True, db_index=True, help_text="its name in the object storage")

    def __str__(self) -> str:
        return f"result of {self.task_id}"


class StoredBody(models.Model):
    """One object in the storage of results, known before it is written (`hosting.tasks.bodies`)."""

    name = models.CharField(primary_key=True, max_length=200)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    was_kept = models.BooleanField(default=False, help_text="a result has referred to it")

    def __str__(self) -> str:
        return self.name


class TaskLine(models.Model):
    """One line of a task's log."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="lines")
    attempt = models.PositiveIntegerField(default=1)
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=clock.now)
    level = models.CharField(max_length=20, blank=True)
    text = models.TextField()

    class Meta:
        ordering = ("attempt", "seq")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["task", "attempt", "seq"], name="task_line_once"),
        ]

    def __str__(self) -> str:
        return self.text[:80]
