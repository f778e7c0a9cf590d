"""Going back, updating, and deploying something else."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common import clock
from hosting.models import Deployment, DeploymentVersion, SourceArchive
from hosting.states import State
from tests.hosting.deployment_pages.forms import told

pytestmark = pytest.mark.django_db


def test_roll_back_and_update_from_the_page(client: Client, deployment: Deployment) -> None:
    first = deployment.versions.get()
    second = DeploymentVersion.objects.create(
        deployment=deployment, number=2, reference="pypi:demo", environment=first.environment, built_at=clock.now()
    )
    Deployment.objects.update(current_version=second)
    page = client.get("/d/alice/time/versions")
    assert page.context["deployed_by"] == {1: "operator"}
    assert [row["same_as"] for row in page.context["versions"]] == [1, None]
    assert "there was nothing newer" in page.content.decode()
    client.post("/d/alice/time/versions", {"action": "roll_back", "number": "1"})
    deployment.refresh_from_db()
    assert deployment.current_version == first
    for number in ("9", "", "x", "-1", "9" * 20, "١"):
        client.post("/d/alice/time/versions", {"action": "roll_back", "number": number})
    client.post("/d/alice/time/versions", {"action": "update"})
    deployment.refresh_from_db()
    assert (deployment.versions.count(), deployment.state) == (3, State.QUEUED)
    again = client.post("/d/alice/time/versions", {"action": "update"}, follow=True)
    assert "being built already" in told(again)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reference": "pypi:demo"}, "Update to the newest release"),
        ({"reference": "npm:demo@latest"}, "Update to the newest release"),
        ({"reference": "npm:@a/demo@1.0.0"}, "Update its dependencies"),
        ({"reference": "pypi:demo==1.0"}, "Update its dependencies"),
        ({"reference": "pypi:demo==1.0", "registry_name": "org.example/demo"}, "Update to the registry&#x27;s newest"),
        ({"reference": "remote:https://a.example/mcp"}, "Look at it again"),
        ({"reference": "conda:demo"}, "Build again"),
    ],
)
def test_the_button_says_to_what_it_updates(
    client: Client, deployment: Deployment, fields: dict[str, str], words: str
) -> None:
    deployment.versions.update(**fields)
    assert f"</svg>{words}</button>" in client.get("/d/alice/time/versions").content.decode()


def test_something_else_is_deployed_as_a_package_or_a_file(client: Client, deployment: Deployment) -> None:
    path = "/d/alice/time/versions"
    assert client.post(path, {"action": "deploy", "reference": "pypi:other"}).status_code == 302
    script = SimpleUploadedFile("server.py", b"print('hello')\n")
    assert client.post(path, {"action": "deploy", "source": script}).status_code == 302
    deployment.refresh_from_db()
    assert deployment.reference == f"source:{SourceArchive.objects.get().digest}"
    for bad in ({}, {"reference": "nonsense"}, {"reference": "pypi:a", "source": SimpleUploadedFile("a.py", b"1")}):
        assert client.post(path, {"action": "deploy", **bad}).status_code == 400
    assert client.post(path, {"action": "deploy", "source": SimpleUploadedFile("a.exe", b"MZ")}).status_code == 400


def test_hosting_an_upload(client: Client) -> None:
    fields = {"name": "mine", "owner": "alice", "access": "private"}
    script = SimpleUploadedFile("server.py", b"print('hello')\n")
    assert client.post("/servers/new", {**fields, "source": script}).status_code == 302
    assert Deployment.objects.get().kind == "source"
    empty = client.post("/servers/new", {**fields, "name": "other", "source": SimpleUploadedFile("server.py", b"")})
    assert empty.status_code == 400
    assert "source" in empty.context["form"].errors or empty.context["form"].non_field_errors()
