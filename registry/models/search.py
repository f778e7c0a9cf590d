"""The index: a row for each server, the words that there are, and what running servers has taught."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from common import clock
from registry.models.servers import Server
from registry.models.statuses import Status


class SearchEntry(models.Model):
    """What search and lists of pages know of a server: its latest version, made anew with every change."""

    server = models.OneToOneField(Server, primary_key=True, on_delete=models.CASCADE, related_name="entry")
    name = models.CharField(max_length=200, db_collation="C")
    folded = models.CharField(max_length=200, db_collation="C")
    title = models.CharField(max_length=100, blank=True)
    description = models.CharField(max_length=300, blank=True)
    icon = models.CharField(max_length=2048, blank=True, help_text="where the one that pages show is fetched")
    version = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=Status.choices)
    published_at = models.DateTimeField(help_text="of the latest version")
    updated_at = models.DateTimeField(help_text="the last change of any version, as the entries say")
    versions = models.PositiveIntegerField(default=1)
    facets = models.BigIntegerField(default=0, help_text="registry.search.facets")
    compact = models.CharField(max_length=200, blank=True, help_text="the name as one word")
    compact_title = models.CharField(max_length=200, blank=True)
    vendor = models.CharField(max_length=200, blank=True)
    skeleton = models.CharField(max_length=200, db_collation="C")
    standing = models.FloatField(default=0)
    references = ArrayField(models.TextField(), default=list, blank=True)
    vector = SearchVectorField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            GinIndex(fields=["vector"], name="registry_search_vector"),
            GinIndex(OpClass("folded", "gin_trgm_ops"), name="registry_search_name_parts"),
            GinIndex(fields=["references"], name="registry_search_references"),
            models.Index(fields=["skeleton"], name="registry_search_skeleton"),
            # Browsing: counts by facets, and pages by each order, from the index alone.
            models.Index(
                fields=["facets", "updated_at"], name="registry_search_facets", condition=~models.Q(status="deleted")
            ),
            models.Index(fields=["-updated_at", "name"], name="registry_search_updated"),
            models.Index(fields=["-published_at", "name"], name="registry_search_published"),
            models.Index(fields=["-standing", "name"], name="registry_search_standing"),
            models.Index(fields=["name"], name="registry_search_name"),
        ]

    def __str__(self) -> str:
        return self.name


class SearchWord(models.Model):
    """Words that entries are made of: what a misspelt one may have been. Words stay when their entries go."""

    word = models.CharField(max_length=40, primary_key=True, db_collation="C")
    count = models.PositiveIntegerField(default=1, help_text="of entries, when last counted")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            GistIndex(OpClass("word", "gist_trgm_ops"), name="registry_word_alike")
        ]

    def __str__(self) -> str:
        return self.word


class SeenServer(models.Model):
    """What was learned by running something here: a package or address, without its version, as hosting names it."""

    reference = models.CharField(max_length=500, primary_key=True, help_text="npm:@scope/name, remote:https://…")
    tools = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    revisions = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    uses = ArrayField(models.CharField(max_length=20), default=list, blank=True, help_text="tasks, elicitation")
    sign_in = models.CharField(max_length=20, blank=True)
    is_hosted = models.BooleanField(default=False, help_text="by a deployment that everybody may know of")
    seen_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.reference
