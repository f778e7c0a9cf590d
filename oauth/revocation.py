"""The list of access tokens that must not be accepted any more, though their signature is good and their time not up.

The toolkit revokes an access token by deleting its row, in every way there is: rotation, a replay that ends a family,
RFC 7009, a user or client that goes. So each row that goes is written down here.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from common import clock
from oauth.models import AccessToken, RevokedToken


@receiver(post_delete, sender=AccessToken, dispatch_uid="oauth.revocation")
def access_token_gone(instance: AccessToken, **_: Any) -> None:
    if instance.jti and instance.expires > clock.now():
        RevokedToken.objects.get_or_create(jti=instance.jti, defaults={"expires_at": instance.expires})
