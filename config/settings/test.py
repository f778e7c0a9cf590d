"""Tests: the same code on a data folder that vanishes with the process. tests/services.py starts its services."""

import os
import tempfile

# Before the base settings read it. The folder of a real installation must never be a test's.
_HOME = tempfile.TemporaryDirectory(prefix="slipway-test-", ignore_cleanup_errors=True)
os.environ["SLIPWAY_HOME"] = _HOME.name
os.environ["SLIPWAY_PART"] = "test"
os.environ.pop("SLIPWAY_URL", None)

from config.settings.base import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
REGISTRY_CHECK_OWNERSHIP = False  # tests of it bring indexes of packages along; others publish what no index has
