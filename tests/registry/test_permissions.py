"""Patterns of names, and who may do what."""

from __future__ import annotations

import pytest

from registry.permissions import (
    Permission,
    allows,
    allows_any,
    below,
    covers_everything,
    from_claims,
    namespace,
    publish,
    resources,
)

DOMAIN = (publish(namespace("org.example")), publish(below("org.example")))


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("org.example/server", True),
        ("org.example.team/server", True),
        ("org.example", False),
        ("org.examples/server", False),
        ("org.example-evil/server", False),
        ("org.Example/server", False),
        ("org/example", False),
        ("com.org.example/server", False),
    ],
)
def test_domain_covers_itself_and_what_is_below(name: str, may: bool) -> None:
    assert allows(DOMAIN, "publish", name) is may


def test_pattern_without_star_is_one_name() -> None:
    exactly = [publish("org.example/a")]
    assert allows(exactly, "publish", "org.example/a")
    assert not allows(exactly, "publish", "org.example/ab")


def test_actions_are_apart() -> None:
    assert not allows(DOMAIN, "edit", "org.example/server")
    assert allows_any([Permission("edit", "org.example/*")], "org.example/server")
    assert not allows_any([], "org.example/server")


def test_case_of_a_name_counts() -> None:
    assert not allows([publish(namespace("io.github.alice"))], "publish", "io.github.Alice/server")


def test_star_is_everything() -> None:
    everything = [publish("*")]
    assert allows(everything, "publish", "any.thing/at-all")
    assert covers_everything(everything)
    assert not covers_everything(DOMAIN)


def test_resources_are_told_once() -> None:
    assert resources([*DOMAIN, *DOMAIN, Permission("edit", "x")], "publish") == ["org.example/*", "org.example.*"]


def test_claims_there_and_back() -> None:
    assert from_claims([each.as_claim() for each in DOMAIN]) == DOMAIN


@pytest.mark.parametrize(
    "claims",
    [
        None, {}, "publish", [None], [{}], [{"action": "publish"}], [{"action": "own", "resource": "*"}],
        [{"action": "publish", "resource": ""}], [{"action": "publish", "resource": 1}],
        [{"action": ["publish"], "resource": "*"}], [{"action": "publish", "resource": "*", "x": 1}],
    ],
)  # fmt: skip
def test_what_is_no_list_of_permissions_is_refused(claims: object) -> None:
    with pytest.raises(ValueError, match="permission"):
        from_claims(claims)
