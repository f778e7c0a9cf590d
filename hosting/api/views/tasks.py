"""A person's own tasks: listed, read, answered, cancelled. `/api/tasks/{id}/events` is served by hosting.tasks.feed."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.api.paging import Page, paged
from common.api.views import ApiView, in_path, operation
from hosting.api.serializers.tasks import (
    TaskAnswerShape,
    TaskDetailShape,
    TaskShape,
    TasksQuery,
    task_shown,
    task_shown_whole,
)
from hosting.api.views.deployment import actor_of, parsed, query_of
from hosting.models import Task
from hosting.tasks import answers, selectors, services

TAG = "Tasks"
API = "the API"
TaskShapePage = paged(TaskShape)


class TaskView(ApiView):
    """The base of them all. Another's task is told apart from none by nobody."""

    scopes = ("tasks:read", "tasks:write")

    def own(self, request: Request, task_id: str) -> Task:
        return selectors.task_of_person(actor_of(request), task_id)

    def written(self, request: Request, task_id: str) -> Response:
        return Response(TaskDetailShape(task_shown_whole(self.own(request, task_id))).data)


class TasksView(TaskView):
    @operation(
        "listTasks",
        "Your tasks",
        tag=TAG,
        query=TasksQuery,
        response=TaskShapePage,
        description="Of all servers, the newest first.",
    )
    def get(self, request: Request) -> Response:
        given = query_of(request, TasksQuery)
        page = selectors.tasks_page(
            actor_of(request),
            state=given["state"],
            deployment_id=given["deployment"],
            after=given["cursor"],
            limit=given["limit"],
        )
        return Response(TaskShapePage(Page([task_shown(task) for task in page.tasks], page.next)).data)


@in_path(task_id="The task's id.")
class TaskDetailView(TaskView):
    @operation(
        "getTask",
        "One task, with its arguments, open questions and result",
        tag=TAG,
        response=TaskDetailShape,
        problems=(404,),
        description="As it changes: GET /api/tasks/{task_id}/events, a stream of server-sent events that can be "
        "resumed with Last-Event-ID.",
    )
    def get(self, request: Request, task_id: str) -> Response:
        return self.written(request, task_id)


@in_path(task_id="The task's id.")
class TaskAnswerView(TaskView):
    @operation(
        "answerTask",
        "Answer an open question",
        tag=TAG,
        request=TaskAnswerShape,
        response=TaskDetailShape,
        problems=(404, 409),
        description="The first answer counts; a later one is refused with 409.",
    )
    def post(self, request: Request, task_id: str) -> Response:
        task, given = self.own(request, task_id), parsed(TaskAnswerShape, request.data)
        answers.task_answer(task, given["key"], result=given["result"], by=API)
        return self.written(request, task_id)


@in_path(task_id="The task's id.")
class TaskCancelView(TaskView):
    @operation("cancelTask", "Cancel it", tag=TAG, response=TaskDetailShape, problems=(404, 409))
    def post(self, request: Request, task_id: str) -> Response:
        services.task_cancel(self.own(request, task_id), "Cancelled by the API.")
        return self.written(request, task_id)
