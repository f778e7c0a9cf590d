"""Each page of a deployment needs few queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from hosting.models import Deployment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("tab", ["", "tools", "calls", "logs", "versions", "settings", "settings/users", "access"])
def test_pages_need_few_queries(client: Client, held: Deployment, tab: str, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(17):
        assert client.get(f"/d/alice/time/{tab}").status_code == 200
