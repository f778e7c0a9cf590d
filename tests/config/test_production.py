"""The production settings, in a process of their own because settings are read once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

HTTPS = {"SLIPWAY_URL": "https://slipway.example.org", "TRUSTED_PROXIES": "127.0.0.1"}


def manage(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env={**ours, "SLIPWAY_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_production_passes_django_s_deployment_check(tmp_path: Path) -> None:
    done = manage(tmp_path / "home", "check", "--deploy", "--fail-level", "WARNING", **HTTPS)
    assert done.returncode == 0, done.stderr


def test_a_public_address_means_production_settings(tmp_path: Path) -> None:
    code = "from django.conf import settings as s; print(s.SETTINGS_MODULE, s.SESSION_COOKIE_SECURE, s.ALLOWED_HOSTS)"
    done = manage(tmp_path / "home", "shell", "--no-imports", "-c", code, **HTTPS)
    assert done.stdout.strip() == "config.settings.production True ['slipway.example.org']", done.stderr


def test_the_name_that_apps_have_is_none_of_the_site_s(tmp_path: Path) -> None:
    code = "from django.conf import settings as s; print(s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS)"
    words = ("shell", "--no-imports", "-c", code)
    done = manage(tmp_path / "home", *words, SLIPWAY_APPS_URL="http://localhost:8000")
    expected = "['127.0.0.1', '[::1]'] ['http://127.0.0.1:8000', 'http://[::1]:8000']"
    assert done.stdout.strip() == expected, done.stderr


def test_production_keeps_to_https_and_to_its_own_cookies(tmp_path: Path) -> None:
    names: list[str] = ["SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT"]
    names += (
        "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_NAME",
        "SESSION_COOKIE_HTTPONLY",
        "SESSION_COOKIE_SAMESITE",
    )
    code = f"from django.conf import settings as s; print([getattr(s, name) for name in {names}])"
    done = manage(tmp_path / "home", "shell", "--no-imports", "-c", code, **HTTPS)
    expected = [31_536_000, True, True, True, "__Host-slipway_session", "__Host-slipway_csrf", True, "Lax"]
    assert done.stdout.strip() == str(expected), done.stderr


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (
            {"SLIPWAY_URL": "http://slipway.example.org"},
            "SLIPWAY_URL is 'http://slipway.example.org', but must be https",
        ),
        (
            {"DJANGO_SETTINGS_MODULE": "config.settings.production"},
            "SLIPWAY_URL is 'http://127.0.0.1:8000', but production needs an https address",
        ),
        ({"SLIPWAY_URL": "https://slipway.example.org"}, "TRUSTED_PROXIES is not set"),
        ({**HTTPS, "TRUSTED_PROXIES": "everybody"}, "TRUSTED_PROXIES is 'everybody'"),
        ({**HTTPS, "REGISTRY_ANONYMOUS": "1"}, "REGISTRY_ANONYMOUS lets anybody publish"),
        ({**HTTPS, "SLIPWAY_APPS_URL": "https://slipway.example.org:8443"}, "another host name than SLIPWAY_URL"),
        ({"PORT": "eighty"}, "PORT is 'eighty', but must be a whole number"),
        ({"SLIPWAY_SANDBOX": "none"}, "SLIPWAY_SANDBOX is 'none', but must be one of bubblewrap, insecure"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must start with one of redis://"),
    ],
)
def test_wrong_configuration_is_one_sentence_and_no_stack_trace(
    tmp_path: Path, environment: dict[str, str], reason: str
) -> None:
    done = manage(tmp_path / "home", "check", **environment)
    assert done.returncode != 0
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
