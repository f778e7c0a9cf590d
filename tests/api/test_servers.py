"""The registry's search over the platform API."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.api.conftest import ApiClient, token_of
from tests.registry.entries import npm, publish, pypi

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice: User) -> ApiClient:
    publish("org.example/weather", title="Weather", description="Forecasts", packages=[npm("weather")])
    publish("org.example/clouds", description="Pictures of weather", packages=[pypi("clouds")])
    publish("org.example/chess", description="Plays", packages=[npm("chess")])
    return ApiClient(token_of(alice, "deployments:read"))


def test_best_matches_come_first_with_counts(api: ApiClient) -> None:
    found = api("GET", "servers?q=weather").body
    assert [one["name"] for one in found["items"]] == ["org.example/weather", "org.example/clouds"]
    assert (found["total"], found["next"], found["counts"]["package"]["npm"]) == (2, None, 1)
    assert "package:npm" in found["items"][0]["facets"]
    assert api("GET", "servers?q=wether").body["corrected"] == {"wether": "weather"}


def test_facets_of_a_group_are_joined_by_or_and_groups_by_and(api: ApiClient) -> None:
    def names(facets: str) -> list[str]:
        return [one["name"] for one in api("GET", f"servers?sort=name&facets={facets}").body["items"]]

    assert names("package:npm") == ["org.example/chess", "org.example/weather"]
    assert len(names("package:npm,package:pypi")) == 3
    assert names("package:npm,runs:remote") == []


@pytest.mark.parametrize("query", ["facets=package:x", "facets=npm", "sort=best", "page=0", "page=51", "updated=ever"])
def test_what_is_not_known_is_refused(api: ApiClient, query: str) -> None:
    answer = api("GET", f"servers?{query}")
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, query.partition("=")[0])
