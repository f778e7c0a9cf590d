"""Another registry whose entries this site follows, and how far it has come there."""

from __future__ import annotations

from django.db import models

from common import clock


class Upstream(models.Model):
    """`since` is where the next run begins; `cursor` is where an interrupted one goes on, within `run_since`."""

    id = models.BigAutoField(primary_key=True)
    label = models.CharField(max_length=100, unique=True, help_text="how pages name it: registry.example.org")
    url = models.URLField(max_length=500, unique=True, help_text="the address without /v0.1/servers")
    is_enabled = models.BooleanField(default=True)
    interval_seconds = models.PositiveIntegerField(default=3600)
    since = models.DateTimeField(null=True, blank=True, help_text="updated_since of the next run; null for all")
    cursor = models.TextField(blank=True)
    run_since = models.DateTimeField(null=True, blank=True)
    run_started_at = models.DateTimeField(null=True, blank=True, help_text="null when no run is unfinished")
    last_run_at = models.DateTimeField(null=True, blank=True, help_text="when it was last asked, whatever came of it")
    last_success_at = models.DateTimeField(null=True, blank=True)
    entries = models.PositiveBigIntegerField(default=0, help_text="read from it in all")
    error = models.TextField(blank=True, help_text="why the last run did not end")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("label",)

    def __str__(self) -> str:
        return self.label
