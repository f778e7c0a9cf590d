"""OAuth records, by noun."""

from __future__ import annotations

from oauth.models.clients import ClientProfile, Consent
from oauth.models.enterprise import EnterpriseIdentity, TrustedIdp
from oauth.models.outbound import Connection, ConnectionAttempt, Revocation
from oauth.models.policies import ClientPolicy
from oauth.models.providers import Provider
from oauth.models.signing import SigningKey
from oauth.models.tokens import ApiToken, EndpointToken, RevokedToken, UsedAssertion
from oauth.models.toolkit import AccessToken, Application, DeviceGrant, Grant, IDToken, RefreshToken

__all__ = [
    "AccessToken",
    "ApiToken",
    "Application",
    "ClientPolicy",
    "ClientProfile",
    "Connection",
    "ConnectionAttempt",
    "Consent",
    "DeviceGrant",
    "EndpointToken",
    "EnterpriseIdentity",
    "Grant",
    "IDToken",
    "Provider",
    "RefreshToken",
    "Revocation",
    "RevokedToken",
    "SigningKey",
    "TrustedIdp",
    "UsedAssertion",
]
