"""What every installation shares. Values come from the environment (config/env.py) or from the data folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from config import env, sign_in
from config.broker import celery_broker_url
from config.database import database_settings
from config.launch.home import run_folder
from config.logs import logging_config, structlog_configure
from config.secrets import secret_read, secrets_ensure

BASE_DIR = Path(__file__).resolve().parents[2]

# Where this installation lives and how it is reached
BIND = env.text("BIND", "127.0.0.1")
PORT = env.integer("PORT", 8000, least=1, most=65535)
PUBLIC_URL = env.public_url("SLIPWAY_URL", f"http://127.0.0.1:{PORT}")
SLIPWAY_URL = PUBLIC_URL.origin
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
WEB_PROCESSES = env.integer("WEB_PROCESSES", 1, least=1, most=64)
REQUEST_SECONDS = env.integer("REQUEST_SECONDS", 30, least=1, most=3600)  # without a byte of a request that has begun
WORKER_THREADS = env.integer("WORKER_THREADS", 16, least=1, most=256)

# The MCP endpoint
MCP_ALLOWED_ORIGINS = env.origins("MCP_ALLOWED_ORIGINS")  # of browser clients on other sites
MCP_STREAM_SECONDS = env.integer("MCP_STREAM_SECONDS", 300, least=1, most=86_400)  # then a client has to come back
MCP_CALLS_PER_PRINCIPAL = env.integer("MCP_CALLS_PER_PRINCIPAL", 256, least=1, most=100_000)  # open ones in a process
MCP_CALLS_PER_DEPLOYMENT = env.integer("MCP_CALLS_PER_DEPLOYMENT", 2048, least=1, most=100_000)

# Tasks
SLIPWAY_TASK_TTL_SECONDS = env.integer("SLIPWAY_TASK_TTL_SECONDS", 86_400, least=60, most=31_536_000)  # at most
SLIPWAY_TASK_RESULT_BYTES = env.integer("SLIPWAY_TASK_RESULT_MIB", 10, least=1, most=1024) * 1024 * 1024  # at most
# Results from this size on are kept by a Django storage, such as storages.backends.s3.S3Storage of django-storages.
SLIPWAY_TASK_STORAGE_BYTES = env.integer("SLIPWAY_TASK_STORAGE_KIB", 256, least=0, most=1_048_576) * 1024
_TASK_STORAGE = env.storage("SLIPWAY_TASK_STORAGE", "SLIPWAY_TASK_STORAGE_OPTIONS")
SLIPWAY_TASK_LINES = env.integer("SLIPWAY_TASK_LINES", 5000, least=0, most=1_000_000)  # of one task's log

# Callers without an account, by their address: requests that are open at once in a process, and a minute
MCP_ANONYMOUS_CALLS_PER_ADDRESS = env.integer("MCP_ANONYMOUS_CALLS_PER_ADDRESS", 32, least=1, most=100_000)
MCP_ANONYMOUS_CALLS_PER_MINUTE = env.integer("MCP_ANONYMOUS_CALLS_PER_MINUTE", 120, least=1, most=1_000_000)

# What is kept of calls
SLIPWAY_CALL_RECORD_DAYS = env.integer("SLIPWAY_CALL_RECORD_DAYS", 30, least=1, most=3650)  # who called what

SLIPWAY_HOME = env.folder("SLIPWAY_HOME", BASE_DIR / ".slipway")
SLIPWAY_RUN = run_folder(SLIPWAY_HOME)
SLIPWAY_SECRETS = SLIPWAY_HOME / "secrets"
SLIPWAY_STORE = SLIPWAY_HOME / "store"
SLIPWAY_RUNNERS = SLIPWAY_HOME / "runners"
SLIPWAY_EGRESS_PRIVATE = env.networks("SLIPWAY_EGRESS_PRIVATE")  # private networks that hosted servers may reach
SLIPWAY_EGRESS_PORTS = env.ports("SLIPWAY_EGRESS_PORTS")  # on these ports of theirs, besides 443
SLIPWAY_DNS_SERVERS = env.name_servers("SLIPWAY_DNS_SERVERS")  # that the site asks, instead of this machine's
SLIPWAY_SANDBOX = env.choice("SLIPWAY_SANDBOX", "bubblewrap", ["bubblewrap", "insecure"])

# What an owner of a server may choose for one instance, at most; quotas of accounts are another thing.
_MIB = 1024 * 1024
SLIPWAY_CEILINGS = {
    "memory_bytes": env.integer("SLIPWAY_MAX_MEMORY_MIB", 2048, least=32, most=1_048_576) * _MIB,
    "processes": env.integer("SLIPWAY_MAX_PROCESSES", 256, least=4, most=32_768),
    "disk_bytes": env.integer("SLIPWAY_MAX_DISK_MIB", 1024, least=1, most=1_048_576) * _MIB,
    "message_bytes": env.integer("SLIPWAY_MAX_MESSAGE_MIB", 32, least=1, most=1024) * _MIB,
}
# What an owner may use altogether, where ./manage.py quota says nothing else. Build minutes and egress are a month's.
SLIPWAY_QUOTAS = {
    "deployments": env.integer("SLIPWAY_QUOTA_DEPLOYMENTS", 50, least=0, most=1_000_000),
    "awake_instances": env.integer("SLIPWAY_QUOTA_AWAKE_INSTANCES", 64, least=0, most=1_000_000),
    "memory_bytes": env.integer("SLIPWAY_QUOTA_MEMORY_MIB", 32_768, least=0, most=1_073_741_824) * _MIB,
    "build_minutes": env.integer("SLIPWAY_QUOTA_BUILD_MINUTES", 600, least=0, most=10_000_000),
    "store_bytes": env.integer("SLIPWAY_QUOTA_STORE_MIB", 20_480, least=0, most=1_073_741_824) * _MIB,
    "egress_bytes": env.integer("SLIPWAY_QUOTA_EGRESS_MIB", 102_400, least=0, most=1_073_741_824) * _MIB,
}
# How long what runs may go on with an earlier version, or on a runner that is drained.
SLIPWAY_DRAIN_SECONDS = env.integer("SLIPWAY_DRAIN_SECONDS", 3600, least=0, most=86_400)
SLIPWAY_IDLE_SECONDS = env.integer("SLIPWAY_IDLE_SECONDS", 600, least=1, most=86_400)  # then an instance goes
SLIPWAY_LEAST_IDLE_SECONDS = env.integer("SLIPWAY_LEAST_IDLE_SECONDS", 5, least=1, most=86_400)

# Which of our processes this is: web, worker … for a shell or a command the command's name. manage.py sets it.
SLIPWAY_PART = env.text("SLIPWAY_PART", "web")

DATABASE_URL = env.service_url(
    "DATABASE_URL", f"postgresql://postgres@/slipway?host={SLIPWAY_RUN}/postgres", ["postgresql", "postgres"]
)
REDIS_URL = env.service_url("REDIS_URL", f"unix://{SLIPWAY_RUN}/valkey.sock", ["redis", "rediss", "unix"])

secrets_ensure(SLIPWAY_SECRETS)
SECRET_KEY = secret_read(SLIPWAY_SECRETS, "secret_key")

DEBUG = False
ALLOWED_HOSTS = [PUBLIC_URL.host, *(name for name in env.LOOPBACK_NAMES if PUBLIC_URL.is_loopback)]
# config/asgi.py gives every admitted request the host of SLIPWAY_URL, so this machine's other names stand here.
CSRF_TRUSTED_ORIGINS = [SLIPWAY_URL, *PUBLIC_URL.aliases]

INSTALLED_APPS = [
    "config.apps.ProjectConfig",
    "accounts",
    "oauth",
    "registry",
    "hosting",
    "events",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    *sign_in.APPS,
    "allauth.mfa",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.static.StaticFilesMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "common.http.AppErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.sign_up",
                "hosting.context.tasks_waiting",
            ]
        },
    }
]

# A pool, not CONN_MAX_AGE: under ASGI every request may run in a thread of its own, and connections that live as
# long as such threads soon exceed what the server allows. Commands are over too soon to profit from one.
DATABASES = {
    "default": database_settings(
        DATABASE_URL,
        pool_size=env.integer("DATABASE_POOL", 16, least=1, most=500) if SLIPWAY_PART in ("web", "worker") else 0,
    )
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "slipway",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # The layer waits 5 s for a message, which is also when redis-py gives a read up: a page that hears nothing for
        # that long would lose its connection.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 30}], "prefix": "slipway:channels"},
    }
}

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
# Two factors and passkeys. A passkey belongs to a host name, which an address of digits is not (WebAuthn, 5.1.2).
_HAS_NAME = sign_in.is_name(PUBLIC_URL.host)
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
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

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
SLIPWAY_RESOURCE_FINDER = "hosting.resources.resource_find"  # oauth lies below hosting

SILENCED_SYSTEM_CHECKS = ["oauth2_provider.W008"]  # http redirects stay for native apps on loopback (RFC 8252)

# The platform API
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 600, least=1, most=1_000_000)  # of a token or person
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oauth.authentication.ApiTokenAuthentication",  # the first, so that a refusal is its challenge
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "oauth.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["common.api.throttling.RequestThrottle"],
    "DEFAULT_PARSER_CLASSES": ["common.api.bodies.PlainJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "common.api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # no ?format=
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Slipway",
    "VERSION": "0.1.0",
    "DESCRIPTION": "Host MCP servers, change them, and see how they are used.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVERS": [{"url": SLIPWAY_URL}],
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "ENUM_NAME_OVERRIDES": {
        "DeploymentState": "hosting.states.State",
        "VersionState": "hosting.api.serializers.versions.STATES",
        "TaskState": "hosting.api.serializers.tasks.STATES",
        "TaskFilter": "hosting.api.serializers.tasks.FILTERS",
    },
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATION_PARAMETERS": False,
}

# The registry: who may publish what
REGISTRY_GITHUB_CLIENT_ID = env.text("REGISTRY_GITHUB_CLIENT_ID")  # of the OAuth app whose device flow publishers use
REGISTRY_GITHUB_API = env.https_url("REGISTRY_GITHUB_API", "https://api.github.com")
REGISTRY_GITHUB_URL = env.https_url("REGISTRY_GITHUB_URL", "https://github.com")
REGISTRY_GITHUB_ISSUER = env.https_url("REGISTRY_GITHUB_ISSUER", "https://token.actions.githubusercontent.com")
REGISTRY_GITHUB_NAMESPACE = env.text("REGISTRY_GITHUB_NAMESPACE", "io.github")  # another one for an own GitHub
# Tokens for the audience "mcp-registry", which publishers up to 1.7 ask for, are good at every registry that takes it.
REGISTRY_GITHUB_OLD_AUDIENCE = env.flag("REGISTRY_GITHUB_OLD_AUDIENCE")
REGISTRY_ANONYMOUS = env.flag("REGISTRY_ANONYMOUS")  # anybody may publish to io.modelcontextprotocol.anonymous
REGISTRY_API_TOKENS = "oauth.api_tokens.api_token_find"  # registry and oauth are siblings: what finds a token's user

# The registry: whose a package is
REGISTRY_CHECK_OWNERSHIP = env.flag("REGISTRY_CHECK_OWNERSHIP", True)
REGISTRY_PACKAGE_URLS = {
    "npm": env.https_url("REGISTRY_NPM_URL", "https://registry.npmjs.org"),
    "pypi": env.https_url("REGISTRY_PYPI_URL", "https://pypi.org"),
    "nuget": env.https_url("REGISTRY_NUGET_URL", "https://api.nuget.org/v3/index.json"),
    "cargo": env.https_url("REGISTRY_CARGO_URL", "https://crates.io"),
}
REGISTRY_OCI_HOSTS = env.hosts(
    "REGISTRY_OCI_HOSTS", ["docker.io", "ghcr.io", "quay.io", "mcr.microsoft.com", "*.pkg.dev", "*.azurecr.io"]
)
REGISTRY_GITHUB_HOSTS = env.hosts("REGISTRY_GITHUB_HOSTS", ["github.com", "www.github.com"])  # of bundles to download
REGISTRY_GITLAB_HOSTS = env.hosts("REGISTRY_GITLAB_HOSTS", ["gitlab.com", "www.gitlab.com"])

# The registry: READMEs of servers, for their pages and for search. 0 fetches only what somebody looks at.
REGISTRY_GITHUB_RAW = env.https_url("REGISTRY_GITHUB_RAW", "https://raw.githubusercontent.com")
REGISTRY_READMES_A_MINUTE = env.integer("REGISTRY_READMES_A_MINUTE", 20, least=0, most=600)

# Cookies and headers. Lax, not Strict: an OAuth client sends people here from its own site, already signed in.
SESSION_COOKIE_NAME = "slipway_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "slipway_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "media-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", SLIPWAY_URL.replace("http", "ws", 1)],
        "manifest-src": ["'self'"],
        "form-action": ["'self'", *sign_in.form_targets()],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    **({"task_results": _TASK_STORAGE} if _TASK_STORAGE is not None else {}),
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
WHITENOISE_USE_FINDERS = True  # no build and no collecting step: what is in the repository is served

# Celery (STACK: a task may run again when its worker died, so every job is idempotent)
CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,  # longer than the longest job, a build of an environment
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,  # with kombu's defaults a dead worker's tasks wait for another 100 s
    "global_keyprefix": "slipway:celery:",
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = WORKER_THREADS
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE = {
    "reconcile": {"task": "hosting.jobs.reconcile", "schedule": 5.0, "options": {"expires": 5}},
    "sweep-tasks": {"task": "hosting.jobs.sweep_tasks", "schedule": 5.0, "options": {"expires": 5}},
    "collect-egress": {"task": "hosting.jobs.collect_egress", "schedule": 10.0, "options": {"expires": 10}},
    "follow-upstreams": {"task": "registry.jobs.follow_upstreams", "schedule": 30.0, "options": {"expires": 30}},
    "fetch-readmes": {"task": "registry.jobs.fetch_readmes", "schedule": 60.0, "options": {"expires": 60}},
    "purge": {"task": "hosting.jobs.purge", "schedule": 600.0, "options": {"expires": 600}},
    "purge-oauth": {"task": "oauth.jobs.purge", "schedule": 600.0, "options": {"expires": 600}},
    "turn-keys": {"task": "oauth.jobs.turn_keys", "schedule": 300.0, "options": {"expires": 300}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(SLIPWAY_HOME / "beat" / "schedule")

DJANGO_STRUCTLOG_CELERY_ENABLED = True
# A line for each step of each regular job would bury the rest; jobs log what they did, failures are logged anyway.
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO  # a visitor's mistake is no warning to the operator
LOG_LEVEL = env.choice("SLIPWAY_LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOGGING = logging_config(env.choice("SLIPWAY_LOG_FORMAT", "auto", ["auto", "json", "console"]), LOG_LEVEL)
structlog_configure()
