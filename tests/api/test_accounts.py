"""Which settings of a server are accounts that each user connects, over the API."""

from __future__ import annotations

import pytest

from accounts.models import User
from events.actors import OPERATOR
from hosting.models import Deployment
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_put
from tests.api.conftest import ApiClient
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db
PATH = "deployments/alice/time/accounts"
GITHUB = {"setting": "env:GITHUB_TOKEN", "provider": "github", "scopes": ["repo"]}


@pytest.fixture
def deployment(alice: User) -> Deployment:
    wanted = Wanted(name="github", kind="github", client_id="id", client_secret="a-secret-of-the-site")
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted)
    return make_deployment(alice)


def test_accounts_are_said_and_read(api: ApiClient, deployment: Deployment) -> None:
    assert api("GET", PATH).body == {"accounts": [], "each_signs_in": False}
    said = {"accounts": [GITHUB], "each_signs_in": False}
    assert api("PUT", PATH, said).body == said == api("GET", PATH).body
    deployment.refresh_from_db()
    assert deployment.personal_inputs == ["env:GITHUB_TOKEN"]
    api("PUT", PATH, {"accounts": [], "each_signs_in": False})
    deployment.refresh_from_db()
    assert deployment.personal_inputs == []


def test_what_can_not_be(api: ApiClient, deployment: Deployment) -> None:
    def code(*accounts: object, each: bool = False) -> str:
        return api("PUT", PATH, {"accounts": list(accounts), "each_signs_in": each}).code

    assert code({**GITHUB, "provider": "none"}) == code({**GITHUB, "setting": "env:PATH"}) == "accounts_invalid"
    assert code({**GITHUB, "scopes": ['a"b']}) == "provider_scopes" and code(each=True) == "not_remote"
    assert code(*({**GITHUB, "setting": f"env:T{number}"} for number in range(21))) == "accounts_invalid"
    assert code({"setting": "env:X"}) == "invalid" and api("PUT", PATH, {"accounts": []}).code == "invalid"
    assert api("GET", "deployments/alice/none/accounts").code == "deployment_unknown"
