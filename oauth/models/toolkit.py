"""The six models of django-oauth-toolkit. They are ours from the first migration on, because none can be swapped in
later; what we add goes into tables of our own, so that the toolkit's next fields don't collide. The one exception is
the access token's `jti`, which is written with the row and read when the row goes.
"""

# mypy: disable-error-code="misc"
# django-oauth-toolkit has no types, so its base classes are Any.

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
    ApplicationManager,
)

from oauth import redirects
from oauth.refusals import Refusal

# The toolkit's names of grants, by ours (RFC 6749, 7591).
_TOOLKIT_GRANTS = {
    "authorization_code": AbstractApplication.GRANT_AUTHORIZATION_CODE,
    "client_credentials": AbstractApplication.GRANT_CLIENT_CREDENTIALS,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "jwt-bearer",
}


class Applications(ApplicationManager):
    """With their profiles, which every use of one asks for."""

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("profile")


class Application(AbstractApplication):
    """A client. What the toolkit has no field for is in its `profile`; one without a profile can do nothing."""

    objects = Applications()

    class Meta(AbstractApplication.Meta):
        abstract = False

    def allows_grant_type(self, *grant_types: str) -> bool:
        return any(_TOOLKIT_GRANTS.get(grant) in grant_types for grant in self.profile.grants)

    def is_usable(self, request: Any) -> bool:
        """Asked before every use, so that a block stops a client whose tokens and codes are out already."""
        profile = getattr(self, "profile", None)
        return profile is not None and profile.blocked_at is None

    def redirect_uri_allowed(self, uri: str) -> bool:
        return redirects.is_registered(uri, self.redirect_uris.split())

    def get_allowed_schemes(self) -> list[str]:
        return sorted({"http", "https"} | {uri.partition(":")[0] for uri in self.redirect_uris.split()})

    def clean(self) -> None:
        """Our own rules about redirect URIs, which are stricter than the toolkit's and let known native apps in."""
        try:
            redirects.check(self.redirect_uris.split())
        except Refusal as error:
            raise ValidationError({"redirect_uris": error.for_people}, code=error.code) from error


class Grant(AbstractGrant):
    class Meta(AbstractGrant.Meta):
        abstract = False


class AccessToken(AbstractAccessToken):
    jti: Any = models.CharField(max_length=64, unique=True, null=True, editable=False)

    class Meta(AbstractAccessToken.Meta):
        abstract = False


class RefreshToken(AbstractRefreshToken):
    class Meta(AbstractRefreshToken.Meta):
        abstract = False


class IDToken(AbstractIDToken):
    class Meta(AbstractIDToken.Meta):
        abstract = False


class DeviceGrant(AbstractDeviceGrant):
    class Meta(AbstractDeviceGrant.Meta):
        abstract = False
