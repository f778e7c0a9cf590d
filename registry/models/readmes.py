"""READMEs of servers, as they were fetched."""

from __future__ import annotations

from django.db import models

from common import clock
from registry.models.servers import Server


class Readme(models.Model):
    """Of a server's latest version. An empty text says that there was none."""

    server = models.OneToOneField(Server, primary_key=True, on_delete=models.CASCADE, related_name="readme")
    version = models.CharField(max_length=255, db_collation="C", help_text="that was the latest when it was fetched")
    text = models.TextField(blank=True)
    html = models.TextField(blank=True, help_text="sanitised: registry.readme.rendering")
    images = models.JSONField(default=dict, blank=True, help_text="addresses of its pictures, by the key in `html`")
    source_url = models.CharField(max_length=500, blank=True, help_text="where people find it")
    fetched_at = models.DateTimeField(default=clock.now)
    again_at = models.DateTimeField(null=True, blank=True, help_text="when it is fetched anew for the same version")

    def __str__(self) -> str:
        return f"{self.server_id} {self.version}"
