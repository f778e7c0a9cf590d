"""Uploaded source: checked, kept once per owner and content, and read back for a build."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Name
from accounts.permissions import may_own_as
from common.errors import BadInput, NotFound
from events.actors import Actor
from events.audit import record
from hosting.access.permissions import check_may_upload
from hosting.kinds.archive import Archive, archive_of
from hosting.kinds.reference import Reference
from hosting.models import SourceArchive
from hosting.quotas.quotas import check_upload
from hosting.reasons import refusals_in_words


def source_store(*, actor: Actor, owner: Name, filename: str, content: bytes) -> SourceArchive:
    """Keeps an upload. The same content again is the same row. Raises BadInput, NotFound, Forbidden."""
    if not may_own_as(actor, owner):
        raise NotFound("account_unknown", gettext("There is no such account, or it isn't yours to host for."))
    check_may_upload(actor, owner)
    with refusals_in_words():
        archive = archive_of(filename, content)
    with transaction.atomic():
        source, is_new = SourceArchive.objects.get_or_create(
            owner=owner,
            digest=archive.digest,
            defaults={"filename": archive.filename, "size_bytes": len(content), "content": content},
        )
        if is_new:
            check_upload(owner)
            record(
                actor,
                "source:upload",
                "source",
                source.pk,
                owner=owner.display,
                filename=archive.filename,
                digest=archive.digest,
                size=len(content),
            )
    return source


def source_reference(source: SourceArchive) -> str:
    """What a deployment of it is made with."""
    return f"source:{source.digest}"


def source_for(owner: Name, reference: Reference) -> SourceArchive | None:
    """The owner's upload that a reference names; None for other kinds. Raises BadInput when there is none.

    By owner: knowing the digest of somebody else's source gives no way to it.
    """
    if reference.kind != "source":
        return None
    found = SourceArchive.objects.defer("content").filter(owner=owner, digest=reference.name).first()
    if found is None:
        raise BadInput(
            "source_unknown",
            gettext("%(owner)s has uploaded no source with this digest. Upload it.") % {"owner": owner.display},
            field="reference",
        )
    return found


def archive_of_source(source: SourceArchive) -> Archive:
    """The checked archive in a row. Raises BadInput when today's rules refuse what was kept."""
    return archive_of(source.filename, bytes(source.content))
