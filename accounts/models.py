"""Users, organizations, and the one namespace that both share.

A name, once claimed, keeps its row for good: when its holder goes or is renamed the row is marked released and its
unique folded form stays taken, because old URLs and tokens still say it. The database refuses to delete such rows.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy

from accounts import names
from common import clock, ids
from common.errors import AppError


def validate_account_name(value: str) -> None:
    try:
        names.parse(value)
    except AppError as error:
        raise ValidationError(error.message, code=error.code) from error


class User(AbstractUser):  # type: ignore[django-manager-missing]  # of the toolkit's untyped models
    """A person, an account that `host` made for one, or one with which a program of an organization works.

    `username` is the display form of its Name. Operators are superusers, whatever `site_role` says.
    """

    class SiteRole(models.TextChoices):
        MODERATOR = "moderator", gettext_lazy("Moderator")
        PUBLISHER = "publisher", gettext_lazy("Publisher")
        MEMBER = "member", gettext_lazy("Member")

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    username = models.CharField(
        "name",
        max_length=names.MAX_LENGTH,
        unique=True,
        validators=[validate_account_name],
        error_messages={"unique": gettext_lazy("This name is taken.")},
    )
    site_role = models.CharField(max_length=10, choices=SiteRole.choices, default=SiteRole.MEMBER)
    service_of = models.ForeignKey(
        "Organization",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="service_accounts",
        help_text="nobody signs in to it; its organization makes its tokens",
    )

    class Meta:
        verbose_name = "user"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(site_role__in=["moderator", "publisher", "member"]), name="user_site_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new user claims its name in the same transaction; the unique row decides every race."""
        if not self._state.adding:
            super().save(*args, **kwargs)
            return
        name = names.parse(self.username)
        self.username = name.display
        with transaction.atomic():
            super().save(*args, **kwargs)
            Name.objects.create(display=name.display, folded=name.folded, user=self)


class Organization(models.Model):
    """Several people who own deployments together. Its name is the Name row that points at it."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    title = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    members: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        User, through="Membership", related_name="organizations"
    )

    def __str__(self) -> str:
        return self.title or str(self.id)


class Membership(models.Model):
    """What each role may is in `accounts.permissions`."""

    class Role(models.TextChoices):
        OWNER = "owner", gettext_lazy("Owner")
        ADMINISTRATOR = "administrator", gettext_lazy("Administrator")
        PUBLISHER = "publisher", gettext_lazy("Publisher")
        MEMBER = "member", gettext_lazy("Member")
        VIEWER = "viewer", gettext_lazy("Viewer")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=15, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "administrator", "publisher", "member", "viewer"]),
                name="membership_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.role}"


class Name(models.Model):
    """One claimed name. Held by one user or one organization, or released and never given out again."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    folded = models.CharField(max_length=names.MAX_LENGTH, unique=True)
    display = models.CharField(max_length=names.MAX_LENGTH)
    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.PROTECT, related_name="name")
    organization = models.OneToOneField(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="name"
    )
    claimed_at = models.DateTimeField(default=clock.now, editable=False)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="name_held_by_one_or_released",
                condition=(
                    Q(user__isnull=False, organization__isnull=True, released_at__isnull=True)
                    | Q(user__isnull=True, organization__isnull=False, released_at__isnull=True)
                    | Q(user__isnull=True, organization__isnull=True, released_at__isnull=False)
                ),
            ),
            models.CheckConstraint(name="name_is_folded", condition=Q(folded__regex=r"^[a-z0-9](-?[a-z0-9])*$")),
        ]

    def __str__(self) -> str:
        return self.display


class OneTimeLink(models.Model):
    """A link that lets one person in once. Only a digest of its token is kept."""

    class Purpose(models.TextChoices):
        FIRST_ADMIN = "first_admin", gettext_lazy("First administrator")
        SIGN_IN = "sign_in", gettext_lazy("Sign-in")

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="one_time_links")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="link_user_fits_purpose",
                condition=Q(purpose="first_admin", user__isnull=True) | Q(purpose="sign_in", user__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} link {self.id}"


class Invitation(models.Model):
    """A link that can be copied and brings one person in: to an organization, to the site, or both.

    Only a digest of its token is kept."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations"
    )
    role = models.CharField(max_length=15, blank=True, choices=Membership.Role.choices, help_text="in the organization")
    makes_account = models.BooleanField(default=False, help_text="also for somebody who has no account yet")
    site_role = models.CharField(max_length=10, choices=User.SiteRole.choices, default=User.SiteRole.MEMBER)
    note = models.CharField(max_length=200, blank=True, help_text="for whom it is, as the inviter remembers")
    email = models.EmailField(blank=True, help_text="where it was sent: whoever has it reads that mail")
    invited_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="invitation_leads_somewhere",
                condition=Q(organization__isnull=True, role="", makes_account=True)
                | Q(organization__isnull=False, role__in=["owner", "administrator", "publisher", "member", "viewer"]),
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.id}"
