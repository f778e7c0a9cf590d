"""What came of a task: kept up to the site's limit, in the row or in a storage, and gone with the task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from common import clock
from common.errors import Unavailable
from config import env
from hosting.models import StoredBody, Task, TaskLine, TaskResult
from hosting.tasks import bodies
from hosting.tasks.running import sweep
from hosting.tasks.services import task_take
from hosting.tasks.states import LogLine, Outcome, Seen, State
from tests.factories import make_deployment, make_user
from tests.tasks.fake_s3 import fake_s3

pytestmark = pytest.mark.django_db
SMALL = b'{"content":[]}'
LARGE = b'{"content":[{"type":"text","text":"%b"}]}' % (b"x" * 400_000)
LONG_AGO = timedelta(hours=1)


@pytest.fixture
def task() -> Task:
    user = make_user()
    return Task.objects.create(
        deployment=make_deployment(user), user=user, principal=str(user.pk), origin=Task.Origin.MODERN, tool="work",
        params='{"arguments":{"secret":1}}', state=State.WORKING, exchange="x", attempts=1, expires_at=clock.now(),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The site has a storage for large results: that folder."""
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    with override_settings(STORAGES={"task_results": backend}):
        yield tmp_path


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def end(task: Task, body: bytes, outcome: Outcome = Outcome.RESULT) -> None:
    lines = (LogLine(1, "info", "a line"),)
    assert task_take(task, task.last_seq, Seen(2, State.ENDED, outcome, body=body, lines=lines))
    task.refresh_from_db()


def expire(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(expires_at=clock.now() - LONG_AGO)
    sweep()


@pytest.mark.parametrize(("outcome", "how"), [(Outcome.RESULT, "ended well"), (Outcome.TOOL_ERROR, "ended with an")])
def test_what_is_over_the_limit_fails_the_task_and_says_how_the_tool_ended(
    settings: Any, task: Task, outcome: Outcome, how: str
) -> None:
    settings.SLIPWAY_TASK_RESULT_BYTES = len(LARGE) - 1
    end(task, LARGE, outcome)
    assert (task.state, task.outcome) == (State.ENDED, Outcome.ERROR)
    assert how in task.reason
    error = msgspec.json.decode(bodies.body_of(task.id))
    assert error["data"] == {
        "reason": "result_too_large", "outcome": outcome, "bytes": len(LARGE), "limit": len(LARGE) - 1,
    }  # fmt: skip
    assert task.result_bytes == len(bodies.body_of(task.id)) < 1000


def test_what_is_just_within_the_limit_is_kept(settings: Any, task: Task) -> None:
    settings.SLIPWAY_TASK_RESULT_BYTES = len(LARGE)
    end(task, LARGE)
    assert (task.outcome, task.result_bytes, bodies.body_of(task.id)) == (Outcome.RESULT, len(LARGE), LARGE)
    assert not StoredBody.objects.exists()


def test_only_what_is_large_goes_to_the_storage(task: Task, folder: Path) -> None:
    end(task, SMALL)
    assert (bodies.body_of(task.id), files(folder)) == (SMALL, [])


def test_a_large_result_is_in_the_storage_and_read_from_there(task: Task, folder: Path) -> None:
    end(task, LARGE)
    (file,) = files(folder)
    assert file.read_bytes() == LARGE
    assert (bodies.body_of(task.id), task.result_bytes) == (LARGE, len(LARGE))
    assert bytes(TaskResult.objects.get().body) == b""
    assert task.id not in str(file)  # who may look into the storage learns no task's id


def test_expiry_takes_result_arguments_and_log_together(task: Task, folder: Path) -> None:
    end(task, LARGE)
    expire(task)
    assert [model.objects.count() for model in (Task, TaskResult, TaskLine, StoredBody)] == [0, 0, 0, 0]
    assert files(folder) == []


def test_so_does_whatever_else_deletes_the_row(task: Task, folder: Path) -> None:
    end(task, LARGE)
    task.deployment.delete()
    sweep()
    assert (files(folder), StoredBody.objects.count()) == ([], 0)


def test_what_is_referred_to_stays(task: Task, folder: Path) -> None:
    end(task, LARGE)
    StoredBody.objects.update(created_at=clock.now() - LONG_AGO)
    Task.objects.update(expires_at=clock.now() + LONG_AGO)
    sweep()
    assert bodies.body_of(task.id) == LARGE


def test_a_worker_that_dies_before_the_row_is_committed_leaves_nothing_for_ever(task: Task, folder: Path) -> None:
    bodies.body_put(LARGE)
    sweep()
    assert len(files(folder)) == 1  # its row may still be committed
    StoredBody.objects.update(created_at=clock.now() - LONG_AGO)
    sweep()
    assert (files(folder), StoredBody.objects.count()) == ([], 0)


@pytest.fixture
def broken(folder: Path) -> Callable[[], None]:
    def break_it() -> None:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
        folder.write_text("no folder any more")

    return break_it


def test_a_storage_that_is_away_costs_no_result(task: Task, folder: Path, broken: Callable[[], None]) -> None:
    broken()
    end(task, LARGE)
    assert (task.outcome, bodies.body_of(task.id)) == (Outcome.RESULT, LARGE)
    StoredBody.objects.update(created_at=clock.now() - LONG_AGO)
    sweep()  # which can't delete what it does not reach, and says so


def test_one_that_can_not_be_read_now_is_unavailable(task: Task, folder: Path, broken: Callable[[], None]) -> None:
    end(task, LARGE)
    broken()
    with pytest.raises(Unavailable, match="storage"):
        bodies.body_of(task.id)


def test_an_object_store_holds_it_by_django_storages(task: Task) -> None:
    with fake_s3() as store:
        options = {"bucket_name": "results", "endpoint_url": store.url, "access_key": "a", "secret_key": "s"}
        options |= {"region_name": "nowhere", "addressing_style": "path"}
        backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        with override_settings(STORAGES={"task_results": backend}):
            end(task, LARGE)
            assert list(store.objects.values()) == [LARGE]
            assert bodies.body_of(task.id) == LARGE
            expire(task)
        assert not store.objects
        assert not StoredBody.objects.exists()


def test_settings_name_the_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.storage("A_STORAGE", "ITS_OPTIONS") is None
    monkeypatch.setenv("A_STORAGE", "storages.backends.s3.S3Storage")
    assert env.storage("A_STORAGE", "ITS_OPTIONS") == {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {}}
    monkeypatch.setenv("ITS_OPTIONS", '{"bucket_name":"results"}')
    found = env.storage("A_STORAGE", "ITS_OPTIONS")
    assert found is not None and found["OPTIONS"] == {"bucket_name": "results"}
    for wrong in ("[]", "bucket"):
        monkeypatch.setenv("ITS_OPTIONS", wrong)
        with pytest.raises(ImproperlyConfigured, match="ITS_OPTIONS must be a JSON object"):
            env.storage("A_STORAGE", "ITS_OPTIONS")
