"""Writing accounts: users, organizations, the names of both, and one-time links."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext

from accounts import names
from accounts.models import Membership, Name, OneTimeLink, Organization, User
from common import clock, ids
from common.errors import AppError, BadInput, Conflict, NotFound
from events.actors import ANONYMOUS, Actor, person
from events.audit import record

LINK_LIFETIME = timedelta(hours=1)
LINK_PATH = "/join/"
_FIRST_ADMIN_LOCK = 0x534C4950_0001  # any number that nobody else locks

Purpose = OneTimeLink.Purpose


# --- users, organizations and their names


def user_create(*, actor: Actor, name: str, password: str | None = None, is_superuser: bool = False) -> User:
    """A user with its name. Without a password nobody can sign in until an operator hands out a link."""
    parsed = names.parse(name)
    user = User(username=parsed.display, is_superuser=is_superuser, is_staff=is_superuser)
    if password is None:
        user.set_unusable_password()
    else:
        _password_check(password, user)
        user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            record(actor, "user:create", "user", user.id, name=parsed.display, is_superuser=is_superuser)
    except IntegrityError as error:
        raise _taken(parsed) from error
    return user


def organization_create(*, actor: Actor, name: str, owner: User, title: str = "") -> Organization:
    parsed = names.parse(name)
    try:
        with transaction.atomic():
            organization = Organization.objects.create(title=title or parsed.display)
            Name.objects.create(folded=parsed.folded, display=parsed.display, organization=organization)
            Membership.objects.create(organization=organization, user=owner, role=Membership.Role.OWNER)
            record(actor, "organization:create", "organization", organization.id, name=parsed.display)
    except IntegrityError as error:
        raise _taken(parsed) from error
    return organization


def user_rename(*, actor: Actor, user: User, name: str) -> None:
    """Claims the new name and releases the old one, which nobody will get again. A change of case only keeps it."""
    parsed = names.parse(name)
    try:
        with transaction.atomic():
            old = Name.objects.select_for_update().get(user=user)
            if old.folded == parsed.folded:
                Name.objects.filter(pk=old.pk).update(display=parsed.display)
            elif old.deployments.exists():
                raise Conflict(
                    "name_in_use", gettext("Delete or move the deployments first: their URLs carry this name.")
                )
            else:
                Name.objects.filter(pk=old.pk).update(user=None, released_at=clock.now())
                Name.objects.create(folded=parsed.folded, display=parsed.display, user=user)
            user.username = parsed.display
            user.save(update_fields=["username"])
            record(actor, "user:rename", "user", user.id, before=old.display, after=parsed.display)
    except IntegrityError as error:
        raise _taken(parsed) from error


def user_delete(*, actor: Actor, user: User) -> None:
    """Deletes the account and releases its name for good. Deployments must be gone before."""
    with transaction.atomic():
        name = Name.objects.select_for_update().get(user=user)
        if name.deployments.exists():
            raise Conflict("name_in_use", gettext("Delete the account's deployments first."))
        Name.objects.filter(pk=name.pk).update(user=None, released_at=clock.now())
        record(actor, "user:delete", "user", user.id, name=name.display)
        user.delete()


def name_release(*, actor: Actor, name: Name) -> None:
    """Takes a name from its holder when the holder goes. The folded form stays taken."""
    with transaction.atomic():
        held = Name.objects.filter(pk=name.pk, released_at=None)
        if held.update(user=None, organization=None, released_at=clock.now()):
            record(actor, "name:release", "name", name.pk, name=name.display)


def _taken(name: names.AccountName) -> Conflict:
    return Conflict("name_taken", gettext("The name “%(name)s” is taken. Choose another one.") % {"name": name.display})


# --- one-time links


def one_time_link_create(*, actor: Actor, purpose: Purpose, user: User | None = None) -> str:
    """The full URL, shown once: only a digest of its token is kept. Older unused links of the same kind end."""
    if purpose == Purpose.FIRST_ADMIN and administrator_exists():
        raise Conflict(
            "administrator_exists",
            gettext(
                "There is an administrator already. For a way to sign in use: ./manage.py sign_in_link --user NAME"
            ),
        )
    token = ids.random_token(128)
    now = clock.now()
    with transaction.atomic():
        OneTimeLink.objects.filter(purpose=purpose, user=user, used_at=None, expires_at__gt=now).update(expires_at=now)
        link = OneTimeLink.objects.create(
            digest=_digest(token), purpose=purpose, user=user, expires_at=now + LINK_LIFETIME
        )
        record(
            actor, "one_time_link:create", "one_time_link", link.id, purpose=purpose, user=str(user.id) if user else ""
        )
    return f"{settings.SLIPWAY_URL}{LINK_PATH}{token}"


def administrator_exists() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def one_time_link_find(token: str) -> OneTimeLink:
    """The unused link of this token, for showing its page. Using it is decided later, by `one_time_link_use`."""
    link = OneTimeLink.objects.select_related("user").filter(_unused(), digest=_digest(token)).first()
    if link is None:
        raise _link_gone()
    return link


def one_time_link_use(*, token: str, password: str, name: str = "") -> User:
    """Consumes the link, sets the password and, for the first administrator, makes the account called `name`.

    All or nothing: a refused name or password leaves the link unused. Of two uses at once one succeeds.
    """
    with transaction.atomic():
        link = OneTimeLink.objects.select_related("user").filter(digest=_digest(token)).first()
        if link is None or not OneTimeLink.objects.filter(_unused(), pk=link.pk).update(used_at=clock.now()):
            raise _link_gone()
        if link.purpose == Purpose.FIRST_ADMIN:
            user = _first_admin_create(name, password)
        else:
            assert link.user is not None
            user = _password_choose(link.user, password)
        record(person(user.id), "one_time_link:use", "one_time_link", link.id, purpose=link.purpose)
    return user


def _first_admin_create(name: str, password: str) -> User:
    with connection.cursor() as cursor:  # two links used at once must not make two administrators
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FIRST_ADMIN_LOCK])
    if administrator_exists():
        raise _link_gone()
    return user_create(actor=ANONYMOUS, name=name, password=password, is_superuser=True)


def _password_choose(user: User, password: str) -> User:
    if not user.is_active:
        raise _link_gone()
    _password_check(password, user)
    user.set_password(password)  # ends the account's other sessions too
    user.save(update_fields=["password"])
    record(person(user.id), "user:set_password", "user", user.id)
    return user


def _password_check(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise BadInput("password_refused", " ".join(error.messages), field="password") from error


def _unused() -> Q:
    return Q(used_at=None, expires_at__gt=clock.now())


def _link_gone() -> AppError:
    return NotFound(
        "link_gone",
        gettext("This link has been used already, has expired or never existed. Ask the operator for a new one."),
    )


def _digest(token: str) -> str:
    """A plain hash suffices: the token has 128 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
