"""A deployment's settings: what each section takes, what it refuses, and secrets that never come out again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hosting.configuration.given import settings_of
from hosting.models import Deployment
from hosting.states import State
from hosting.views.settings_sections import PARTS, SECTIONS
from tests.hosting.deployment_pages.forms import EVIL, SECRET, field_of, page_of, save_inputs

pytestmark = pytest.mark.django_db


def test_a_secret_goes_in_and_never_comes_out(client: Client, deployment: Deployment) -> None:
    key = field_of(client, "API_KEY")
    save_inputs(client, **{key: f"  {SECRET}\r\n", "blank0_name": "OTHER", "blank0_value": SECRET})
    deployment.refresh_from_db()
    assert dict(settings_of(deployment).values) == {"env:API_KEY": SECRET, "env:OTHER": SECRET}
    pages = [client.get(f"/d/alice/time/{page}").content.decode() for page in ("", "settings", "logs", "versions")]
    assert SECRET not in "".join(pages)
    assert pages[1].count("Set on ") == 2
    save_inputs(client)  # empty: stays
    save_inputs(client, **{f"{field_of(client, 'OTHER')}_remove": "on"})
    deployment.refresh_from_db()
    assert dict(settings_of(deployment).values) == {"env:API_KEY": SECRET}


def test_a_refused_form_does_not_repeat_the_secret(client: Client, deployment: Deployment) -> None:
    fields = {field_of(client, "API_KEY"): SECRET, "blank0_name": "LD_PRELOAD", "blank0_value": SECRET}
    response = save_inputs(client, **fields)
    assert response.status_code == 400
    page = response.content.decode()
    assert "LD_PRELOAD is set by the platform itself" in page
    assert SECRET not in page
    deployment.refresh_from_db()
    assert deployment.inputs == {}


def test_plain_settings_are_shown_and_checked(client: Client, deployment: Deployment) -> None:
    port = field_of(client, "--port")
    response = save_inputs(client, **{port: "http"})
    assert response.status_code == 400
    assert response.context["inputs"].errors[port] == ["This is a number."]
    fields = {port: "80", field_of(client, "MODE"): "slow", "arguments": "--verbose\r\ntwo words\r\n"}
    save_inputs(client, **fields, blank0_name="DEBUG", blank0_value="line 1\r\nline 2", blank0_shown="on")
    deployment.refresh_from_db()
    given = settings_of(deployment)
    assert dict(given.values) == {"argument:port": "80", "env:MODE": "slow", "env:DEBUG": "line 1\nline 2"}
    assert given.arguments == ("--verbose", "two words")
    assert "line 1\nline 2" in client.get("/d/alice/time/settings").content.decode()
    save_inputs(client, **{**fields, port: ""}, **{f"{field_of(client, 'DEBUG')}_remove": "on"})
    deployment.refresh_from_db()
    assert dict(settings_of(deployment).values) == {"env:MODE": "slow"}


def test_a_publishers_words_are_text(client: Client, deployment: Deployment) -> None:
    page = client.get("/d/alice/time/settings").content.decode()
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_the_missing_setting_is_where_the_focus_is(client: Client, deployment: Deployment) -> None:
    deployment.versions.update(missing="API_KEY")
    Deployment.objects.update(state=State.FAILED, reason="exited with code 1")
    page = client.get("/d/alice/time/").content.decode()
    link = re.search(r'href="([^"]+missing=API_KEY)"', page)
    assert link
    settings = client.get(link[1]).content.decode()
    assert "did not start because API_KEY is not set" in settings
    assert re.search(r"<textarea[^>]*autofocus", settings)
    unknown = client.get("/d/alice/time/settings?missing=TOKEN").content.decode()
    assert re.search(r'name="blank0_name"[^>]*value="TOKEN"', unknown)
    assert EVIL not in client.get("/d/alice/time/settings", {"missing": EVIL}).content.decode()


def test_what_is_still_to_be_set_is_named(client: Client, deployment: Deployment) -> None:
    assert client.get("/d/alice/time/settings").context["unset"] == ["API_KEY"]


@pytest.mark.parametrize(
    ("section", "fields", "column", "value"),
    [
        ("limits", {"memory_bytes": "64.5", "idle_seconds": "30"}, "limits", {"memory_bytes": 67_633_152}),
        ("limits", {"idle_seconds": "30"}, "idle_seconds", 30),
        ("network", {"egress": "listed", "egress_hosts": "a.org\r\n*.b.org"}, "egress_hosts", ["a.org", "*.b.org"]),
        ("isolation", {"isolation": "shared"}, "isolation", "shared"),
        ("data", {"has_data_folder": "on"}, "has_data_folder", True),
        ("tasks", {"hand_off_seconds": "20"}, "has_tasks", False),
        ("tasks", {"has_tasks": "on", "hand_off_seconds": "20"}, "hand_off_seconds", 20),
        ("approval", {"tool_approval": "automatic"}, "tool_approval", "automatic"),
        ("install", {"runs_install_code": "on"}, "runs_install_code", True),
        ("tracing", {"traces_bodies": "on"}, "traces_bodies", True),
    ],
)
def test_sections_are_saved_one_by_one(
    client: Client, deployment: Deployment, section: str, fields: dict[str, str], column: str, value: Any
) -> None:
    page = page_of(section)
    response = client.post(page, {"section": section, **fields})
    assert (response.status_code, response["Location"]) == (302, f"{page}#{section}")
    deployment.refresh_from_db()
    assert getattr(deployment, column) == value


@pytest.mark.parametrize(
    ("section", "fields", "field"),
    [
        ("limits", {"memory_bytes": "1e300"}, "memory_bytes"),
        ("limits", {"memory_bytes": "nan"}, "memory_bytes"),
        ("limits", {"memory_bytes": "64", "idle_seconds": "1"}, "idle_seconds"),
        ("limits", {"processes": "-1"}, "processes"),
        ("network", {"egress": "listed", "egress_hosts": ""}, "egress_hosts"),
        ("network", {"egress": "listed", "egress_hosts": "https://a.org/"}, "egress_hosts"),
        ("network", {"egress": "all"}, "egress"),
        ("isolation", {}, "isolation"),
        ("approval", {"tool_approval": "never"}, "tool_approval"),
        ("tasks", {"has_tasks": "on", "hand_off_seconds": "-1"}, "hand_off_seconds"),
        ("tasks", {"has_tasks": "on"}, "hand_off_seconds"),
    ],
)
def test_mistakes_are_told_at_their_field(
    client: Client, deployment: Deployment, section: str, fields: dict[str, str], field: str
) -> None:
    response = client.post(page_of(section), {"section": section, **fields})
    assert response.status_code == 400
    (form,) = [one["form"] for one in response.context["sections"] if one["name"] == section]
    assert field in form.errors
    before = deployment.changed_at
    deployment.refresh_from_db()
    assert deployment.changed_at == before


@pytest.mark.parametrize("sent", [{}, {"section": "nope"}, {"section": "isolation", "isolation": "shared"}])
def test_what_is_no_section_of_a_page_changes_nothing(
    client: Client, deployment: Deployment, sent: dict[str, str]
) -> None:
    for part in ("", "/users", "/tasks", "/delete"):
        assert client.post(f"/d/alice/time/settings{part}", sent).status_code == 400
    assert Deployment.objects.get().isolation == deployment.isolation


def test_each_section_stands_on_one_page(client: Client, deployment: Deployment) -> None:
    pages = {
        part.url_name: client.get(reverse(f"hosting:{part.url_name}", args=["alice", "time"]))
        for part in PARTS.values()
    }
    for part in PARTS.values():
        for section in part.sections:
            marked = f'<section class="panel" id="{section}"'.replace('panel" id="delete', 'panel danger" id="delete')
            assert [name for name, page in pages.items() if marked in page.content.decode()] == [part.url_name]
    assert {*SECTIONS} < {section for part in PARTS.values() for section in part.sections}
