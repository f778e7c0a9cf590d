"""What every installation shares. Values come from the environment (config/env.py) or from the data folder."""

from __future__ import annotations

import logging
from typing import Any

from csp.constants import NONCE

from config import env, sign_in
from config.database import database_settings
from config.logs import logging_config, structlog_configure
from config.settings.api import *  # noqa: F403
from config.settings.hosting import *  # noqa: F403
from config.settings.hosting import TASK_STORAGE
from config.settings.jobs import *  # noqa: F403
from config.settings.registry import *  # noqa: F403
from config.settings.signing_in import *  # noqa: F403
from config.settings.site import *  # noqa: F403
from config.settings.site import APPS_URL, BASE_DIR, DATABASE_URL, PUBLIC_URL, REDIS_URL, SLIPWAY_PART, SLIPWAY_URL
from config.static_version import static_version

DEBUG = False
_OTHER_NAMES = set(env.LOOPBACK_NAMES if PUBLIC_URL.is_loopback else ()) - {PUBLIC_URL.host}
ALLOWED_HOSTS = [PUBLIC_URL.host, *sorted(_OTHER_NAMES - {APPS_URL.host if APPS_URL else ""})]
# config/asgi.py gives every admitted request the host of SLIPWAY_URL, so this machine's other names stand here.
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL.named(name) for name in ALLOWED_HOSTS]

INSTALLED_APPS = [
    "config.apps.ProjectConfig",
    "accounts",
    "oauth",
    "registry",
    "vault",
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
    "config.static.PackedPagesMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.headers.HeadersMiddleware",
    "config.languages.LanguageMiddleware",
    "config.maintenance.MaintenanceMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
            "builtins": ["common.elements", "common.links"],
            "libraries": {"i18n": "common.i18n"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.sign_up",
                "accounts.context.session",
                "hosting.context.waiting",
            ],
        },
    }
]

FORM_RENDERER = "common.widgets.Renderer"

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
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": 30}],
            "prefix": "slipway:channels",
            # Of all that a process waits for, tasks and pages: what it misses while it is busy is seen seconds later.
            "channel_capacity": {"specific.*": 2000},
        },
    }
}

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
        "script-src": [NONCE],  # our own origin has files that users put there; what a page names itself has its nonce
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

# What programs read is always English; pages speak what else is added here (config/languages.py).
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = env.languages("SLIPWAY_LANGUAGES", LOCALE_PATHS[0])
LANGUAGE_COOKIE_NAME = "slipway_language"
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    **({"task_results": TASK_STORAGE} if TASK_STORAGE is not None else {}),
}
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
STATIC_URL = f"/static/{static_version(BASE_DIR / 'static')}/"
WHITENOISE_USE_FINDERS = True  # no build and no collecting step: what is in the repository is served

DJANGO_STRUCTLOG_CELERY_ENABLED = True
# A line for each step of each regular job would bury the rest; jobs log what they did, failures are logged anyway.
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO  # a visitor's mistake is no warning to the operator
LOG_LEVEL = env.choice("SLIPWAY_LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOGGING = logging_config(env.choice("SLIPWAY_LOG_FORMAT", "auto", ["auto", "json", "console"]), LOG_LEVEL)
structlog_configure()
