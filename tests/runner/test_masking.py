"""Secrets of a placement are shown neither in its output nor in the reason of its end."""

from __future__ import annotations

import sys

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind
from tests.runner.conftest import Driver, placement

SECRET = "hunter2-hunter2"
CHATTY = (
    "import os, sys; key = os.environ['KEY']\n"
    "print('x' * 4090 + key, file=sys.stderr)\n"
    "print('rubbish ' + key, flush=True)\n"
    "sys.exit('the key ' + key + ' is refused')"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


async def test_secrets_are_masked_in_output_and_reason(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(argv=python(CHATTY), env={"KEY": SECRET}, masked=[SECRET])))
    outcome = await driver.open("tools/list").outcome()
    reason = msgspec.json.decode(outcome.data)["message"]
    lines = (await driver.link.ask(c.GetTail("d1"))).lines
    status = await driver.link.ask(c.GetStatus())
    everything = " ".join([reason, *(line.line for line in lines), repr(status)])
    assert "the key [secret] is refused" in reason
    assert "the key [secret] is refused" in [line.line for line in lines]
    assert "hunter2" not in everything


async def test_threat_27_an_owners_secret_comes_back_in_no_result(driver: Driver) -> None:
    """Nor base64 or percent-encoded, to no caller of a server that all share."""
    secret = "top secret/key"
    coded = {"PERCENT": "top%20secret%2Fkey", "BASE64": "x dG9wIHNlY3JldC9rZXk= y", "LONGER": f"a {secret} b"}
    await driver.link.ask(c.Place(placement(env={"KEY": secret, **coded}, masked=[secret])))
    for name, shown in (("KEY", "[secret]"), ("PERCENT", "[secret]"), ("BASE64", "x [secret]= y"),
                        ("LONGER", "a [secret] b")):  # fmt: skip
        assert await driver.open(tool="environ", arguments={"name": name}).text() == shown
    logged = driver.open(tool="log", arguments={"text": f"with {secret}"}, log_level="debug")
    await logged.outcome()
    assert logged.events and not any(secret.encode() in event.data for event in logged.events)


async def test_a_secret_that_was_replaced_stays_masked(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(masked=[SECRET])))
    argv = [sys.executable, "-I", "-c", f"import sys; sys.exit('still {SECRET}')"]
    await driver.link.ask(c.Place(placement(argv=argv, masked=["another"], epoch=2)))
    outcome = await driver.open("tools/list", epoch=2).outcome()
    assert "still [secret]" in msgspec.json.decode(outcome.data)["message"]


async def test_a_line_that_is_cut_shows_no_half_of_a_secret(driver: Driver) -> None:
    """Neither in the output nor in the reason, which are cut at other places."""
    chatty = "import os; print('x' * 113 + os.environ['KEY'] + 'y' * 160 + os.environ['KEY'])"
    await driver.link.ask(c.Place(placement(argv=python(chatty), env={"KEY": SECRET}, masked=[SECRET])))
    outcome = await driver.open("tools/list").outcome()
    lines = (await driver.link.ask(c.GetTail("d1"))).lines
    said = " ".join([outcome.data.decode(), *(line.line for line in lines)])
    assert "no JSON-RPC message" in said and "xxx[secre" in said and SECRET[:4] not in said


@pytest.mark.parametrize(
    ("secret", "said", "shown"),
    [
        (SECRET, "'x' * 250 + key + 'y' * 70_000", f"{'x' * 250}[secret]yyy"),  # it was cut at the 256th byte
        (SECRET * 100, "'x' + key * 50", ""),  # so short without secrets that the half one at the end would be shown
    ],
)
async def test_a_line_that_is_too_long_shows_no_half_of_a_secret(
    driver: Driver, secret: str, said: str, shown: str
) -> None:
    chatty = f"import os, sys; key = os.environ['KEY']; print({said}, file=sys.stderr); sys.exit('done')"
    await driver.link.ask(c.Place(placement(argv=python(chatty), env={"KEY": secret}, masked=[secret])))
    await driver.open("tools/list").outcome()
    lines = [line.line for line in (await driver.link.ask(c.GetTail("d1"))).lines]
    assert "done" in lines and not any(SECRET[:4] in line for line in lines)
    assert any(line.startswith(shown) for line in lines)


async def test_what_a_secret_can_not_be_taken_out_of_goes_nowhere(driver: Driver) -> None:
    env = {"MODE": "counts", "KEY": SECRET}
    await driver.link.ask(c.Place(placement("misbehaving", era="legacy", env=env, masked=[SECRET])))
    for _ in range(2):  # it is served on
        outcome = await driver.open(tool="any").outcome()
        assert outcome.kind is Kind.ERROR and SECRET.encode() not in outcome.data
        assert b"could not be understood" in outcome.data, outcome.data


async def test_a_line_of_brackets_is_no_message(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("misbehaving", era="legacy", env={"MODE": "nests"})))
    assert await driver.open(tool="any").text() == "done"


async def test_an_error_shows_no_secret(driver: Driver) -> None:
    env = {"MODE": "complains", "KEY": SECRET}
    await driver.link.ask(c.Place(placement("misbehaving", era="legacy", env=env, masked=[SECRET])))
    outcome = await driver.open(tool="any").outcome()
    assert outcome.kind is Kind.ERROR and SECRET.encode() not in outcome.data
    assert msgspec.json.decode(outcome.data)["message"] == "[secret] is refused"
