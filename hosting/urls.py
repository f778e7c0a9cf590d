from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from hosting.views import (
    access,
    account,
    calls,
    credentials,
    data,
    elicit,
    home,
    logs,
    organization_credentials,
    overview,
    own_account,
    playground,
    providers,
    questions,
    servers,
    settings,
    suspended,
    task,
    tasks,
    tools,
    versions,
    waiting,
)
from hosting.views.settings_sections import PARTS

_deployment = [
    path("", overview.deployment, name="deployment"),
    path("start", overview.start, name="start"),
    path("stop", overview.stop, name="stop"),
    path("restart", overview.restart, name="restart"),
    path("delete", overview.delete, name="delete"),
    path("tools", tools.tools_page, name="tools"),
    path("playground", playground.playground_page, name="playground"),
    path("playground/token", playground.token, name="playground_token"),
    path("playground/app", playground.app, name="playground_app"),
    path("playground/app/<str:app_id>", playground.frame, name="playground_frame"),
    path("calls", calls.calls_page, name="calls"),
    path("tasks", tasks.tasks_page, name="tasks"),
    path("logs", logs.logs_page, name="logs"),
    path("versions", versions.versions_page, name="versions"),
    path("data", data.data_page, name="data"),
    path("data/<str:key>/download", data.download, name="data_download"),
    path("data/<str:key>/delete", data.delete, name="data_delete"),
    path("settings", settings.values_page, name="settings"),
    *(
        path(f"settings/{name}", settings.part_page, {"part": name}, part.url_name)
        for name, part in PARTS.items()
        if part.url_name == f"settings_{name}"  # the others have views of their own
    ),
    path("account", account.account_page, name="account"),
    path("account/disconnect", account.disconnect, name="account_disconnect"),
    path("providers", providers.server_providers, name="providers"),
    path("access", access.access_page, name="access"),
]

_pages: list[URLPattern | URLResolver] = [
    path("servers/", servers.my_servers, name="my_servers"),
    path("servers/new", servers.new, name="new"),
    path("d/<str:owner>/<str:name>/", include(_deployment)),
]

_tasks = [
    path("", tasks.tasks_list, name="list"),
    path("<str:task_id>/", task.task_page, name="task"),
    path("<str:task_id>/cancel", task.cancel, name="cancel"),
    path("<str:task_id>/answer", task.answer, name="answer"),
    path("<str:task_id>/again", task.run_again, name="again"),
    path("<str:task_id>/result", task.result, name="result"),
    path("<str:task_id>/content/<int:number>", task.content, name="content"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("", include((_pages, "hosting"))),
    path("organizations/<str:name>/questions", questions.questions, name="organization_questions"),
    path("connect/callback/<str:key>", account.callback, name="account_callback"),
    path("elicit/<str:elicitation_id>", elicit.elicit, name="elicit"),
    path(
        "organizations/<str:name>/credentials",
        organization_credentials.organization_credentials,
        name="organization_credentials",
    ),
    path("waiting/", waiting.waiting, name="waiting"),
    path("elicit/<str:elicitation_id>/connect", own_account.connect, name="elicit_connect"),
    path("providers/", providers.site_providers, name="site_providers"),
    path("credentials/", credentials.credentials_page, name="credentials"),
    path("credentials/<uuid:deployment_id>/replace", credentials.replace, name="credentials_replace"),
    path("credentials/<uuid:deployment_id>/disconnect", own_account.disconnect, name="credentials_disconnect"),
    path("credentials/<uuid:deployment_id>/revoke", credentials.revoke, name="credentials_revoke"),
    path("credentials/<uuid:deployment_id>/suspended", suspended.suspended, name="credentials_suspended"),
    path("credentials/<uuid:deployment_id>/expire", credentials.expire, name="credentials_expire"),
    path("credentials/<uuid:deployment_id>/uses", credentials.uses, name="credentials_uses"),
    path("tasks/", include((_tasks, "tasks"))),
]
