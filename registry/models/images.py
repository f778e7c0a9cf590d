"""Pictures of READMEs and icons of servers, as this site made them anew."""

from __future__ import annotations

from django.db import models


class StoredImage(models.Model):
    """Of one address, in one size. Empty `content` says that there was nothing that could be shown."""

    key = models.CharField(primary_key=True, max_length=64, db_collation="C", help_text="of the address, and the size")
    url = models.CharField(max_length=2048, help_text="where it was fetched")
    content = models.BinaryField(default=bytes, help_text="WebP: registry.images.encoding")
    digest = models.CharField(max_length=64, blank=True, help_text="of the content")
    width = models.PositiveSmallIntegerField(default=0, help_text="in pixels; 0: nothing to show")
    height = models.PositiveSmallIntegerField(default=0)
    until = models.DateTimeField(null=True, blank=True, help_text="when it is fetched again; empty: never fetched")
    busy_until = models.DateTimeField(null=True, blank=True, help_text="somebody fetches it")

    class Meta:
        indexes = [models.Index(fields=["until"], name="registry_image_until")]

    def __str__(self) -> str:
        return self.url
