"""How people sign in, and programs in their name."""

from __future__ import annotations

from config import env, sign_in
from config.mail import SECONDS as MAIL_SECONDS
from config.mail import mail_server
from config.settings.site import PUBLIC_URL, SLIPWAY_URL

# Signing in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/servers/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
SLIPWAY_SIGN_UP = env.choice("SLIPWAY_SIGN_UP", "invite", ["closed", "invite", "domain", "open"])
# Where anybody may sign up, hosting is the operator's to grant.
_MEMBERS_MAY = ["packages", "source", "remotes"]
SLIPWAY_MEMBERS_MAY = env.several(
    "SLIPWAY_MEMBERS_MAY", [] if SLIPWAY_SIGN_UP == "open" else _MEMBERS_MAY, _MEMBERS_MAY
)
# Whose address at which domain is enough to make an account, where somebody else has checked the address.
SLIPWAY_SIGN_UP_DOMAINS = env.hosts("SLIPWAY_SIGN_UP_DOMAINS", [])
_MAIL = mail_server()
SLIPWAY_HAS_MAIL = bool(_MAIL.host)
sign_in.check(SLIPWAY_SIGN_UP, SLIPWAY_SIGN_UP_DOMAINS, has_mail=SLIPWAY_HAS_MAIL)
# Two factors and passkeys. A passkey belongs to a host name, which an address of digits is not (WebAuthn, 5.1.2).
_HAS_NAME = sign_in.is_name(PUBLIC_URL.host)
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", *(["webauthn"] if _HAS_NAME else []), "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = _HAS_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PUBLIC_URL.is_loopback
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nothing here rests on an address
MFA_TOTP_ISSUER = "Slipway"
# Other sites that vouch for people. Who they are is the other site's subject, never an address that it says.
SOCIALACCOUNT_PROVIDERS = sign_in.providers()
SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = False  # people choose their name: it is part of addresses
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
ACCOUNT_EMAIL_VERIFICATION = "none"  # no mail server is needed to run a site
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PUBLIC_URL.is_https else "http"
ACCOUNT_SESSION_REMEMBER = True
# Who makes keys, or changes how they sign in, has proved who they are at most this long before.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if SLIPWAY_HAS_MAIL else 'console'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _MAIL.has_tls, _MAIL.has_starttls
EMAIL_TIMEOUT = MAIL_SECONDS
DEFAULT_FROM_EMAIL = _MAIL.sender

# The authorization server. All models are ours from the first migration on, because swapping later is not possible.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth.Application"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth.RefreshToken"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth.IDToken"
OAUTH2_PROVIDER_GRANT_MODEL = "oauth.Grant"
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oauth.DeviceGrant"
OAUTH2_PROVIDER = {
    "CLIENT_ID_GENERATOR_CLASS": "oauth.clients.ids.ClientIds",
    "PKCE_REQUIRED": True,
    # RFC 9700 throughout; 4.0 of the toolkit will make these its defaults.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86_400,  # without being used
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "ALLOW_LOCALHOST_LOOPBACK": True,
    "OAUTH2_SERVER_CLASS": "oauth.server.Server",
    "OAUTH2_VALIDATOR_CLASS": "oauth.validator.Validator",
    "OIDC_ISS_ENDPOINT": SLIPWAY_URL,  # the issuer; OpenID Connect itself stays off
    "SCOPES": {
        "mcp:read": "List the tools, prompts and resources of a server",
        "mcp:call": "Call a server's tools",
        "mcp:admin": "Call tools that the owner has marked",
        "offline_access": "Stay connected",
    },
}
# Clients may register themselves (RFC 7591), where they have no document to be known by.
SLIPWAY_CLIENT_REGISTRATION = env.choice("SLIPWAY_CLIENT_REGISTRATION", "open", ["open", "closed"])
SLIPWAY_RESOURCE_FINDER = "hosting.access.resources.resource_find"  # oauth lies below hosting

SILENCED_SYSTEM_CHECKS = [
    "oauth2_provider.W008",  # http redirects stay for native apps on loopback (RFC 8252)
    "templates.W003",  # our i18n stands in Django's place (common.i18n)
]
