"""What nobody needs goes; what somebody may need stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common import clock
from hosting.cleaning import purge
from hosting.models import Environment
from tests.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db


def test_only_old_environments_without_a_version_go(tmp_path: Path, settings: Any) -> None:
    settings.SLIPWAY_STORE = tmp_path / "store"
    old = clock.now() - timedelta(days=2)
    make_deployment(make_user())  # its environment is in use, however old
    Environment.objects.update(created_at=old)
    Environment.objects.create(digest="1" * 64, kind="pypi", path="/nowhere", created_at=old)
    Environment.objects.create(digest="2" * 64, kind="pypi", path="/nowhere")
    purge()
    assert set(Environment.objects.values_list("digest", flat=True)) == {"0" * 64, "2" * 64}
