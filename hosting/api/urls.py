from __future__ import annotations

from django.urls import path, re_path

from hosting.api.views import (
    access,
    accounts,
    credentials,
    data,
    deployments,
    documents,
    held_back,
    servers,
    settings,
    tasks,
    tools,
    usage,
    versions,
)

_D = "deployments/<str:owner>/<str:name>"
_O = "organizations/<str:organization>"

app_name = "api"
urlpatterns = [
    path("", documents.entrance, name="entrance"),
    path("schema", documents.schema_document, name="schema"),
    path("docs", documents.docs, name="docs"),
    path("deployments", deployments.DeploymentsView.as_view(), name="deployments"),
    path(_D, deployments.DeploymentDetailView.as_view(), name="deployment"),
    path(f"{_D}/start", deployments.StartView.as_view(), name="start"),
    path(f"{_D}/stop", deployments.StopView.as_view(), name="stop"),
    path(f"{_D}/restart", deployments.RestartView.as_view(), name="restart"),
    path(f"{_D}/versions", versions.VersionsView.as_view(), name="versions"),
    path(f"{_D}/versions/<int:number>", versions.VersionView.as_view(), name="version"),
    path(f"{_D}/versions/<int:number>/rollback", versions.RollbackView.as_view(), name="rollback"),
    path(f"{_D}/settings", settings.SettingsView.as_view(), name="settings"),
    path(f"{_D}/settings/held-back", held_back.SettingsHeldBackView.as_view(), name="settings_held_back"),
    path(f"{_D}/accounts", accounts.AccountsView.as_view(), name="accounts"),
    path(f"{_D}/tools", tools.ToolsView.as_view(), name="tools"),
    path(f"{_D}/tools/<path:tool>", tools.ToolView.as_view(), name="tool"),  # a name may have slashes
    path(f"{_D}/members", access.MembersView.as_view(), name="members"),
    path(f"{_D}/members/<str:user>", access.MemberView.as_view(), name="member"),
    path(f"{_D}/tokens", access.TokensView.as_view(), name="tokens"),
    path(f"{_D}/tokens/<uuid:token_id>", access.TokenView.as_view(), name="token"),
    path(f"{_D}/credentials", credentials.BroughtView.as_view(), name="brought"),
    path(f"{_D}/credentials/<path:setting>", credentials.CredentialView.as_view(), name="credential"),
    path(f"{_D}/held-back", held_back.HeldBackView.as_view(), name="held_back"),
    path(f"{_D}/data", data.DataFoldersView.as_view(), name="data_folders"),
    path(f"{_D}/data/<str:key>", data.DataFolderView.as_view(), name="data_folder"),
    path(f"{_D}/calls", usage.CallsView.as_view(), name="calls"),
    path(f"{_D}/stats", usage.StatsView.as_view(), name="stats"),
    path(f"{_D}/egress", usage.EgressView.as_view(), name="egress"),
    path(f"{_D}/output", usage.OutputView.as_view(), name="output"),
    path("credentials", credentials.CredentialsView.as_view(), name="credentials"),
    path(f"{_O}/credentials", credentials.OrganizationCredentialsView.as_view(), name="organization_credentials"),
    path(
        f"{_O}/credentials/<path:setting>",
        credentials.OrganizationCredentialView.as_view(),
        name="organization_credential",
    ),
    path("servers", servers.ServersView.as_view(), name="servers"),
    path("quota", usage.QuotaView.as_view(), name="quota"),
    path("tasks", tasks.TasksView.as_view(), name="tasks"),
    path("tasks/<str:task_id>", tasks.TaskDetailView.as_view(), name="task"),
    path("tasks/<str:task_id>/answer", tasks.TaskAnswerView.as_view(), name="task_answer"),
    path("tasks/<str:task_id>/cancel", tasks.TaskCancelView.as_view(), name="task_cancel"),
    re_path("", documents.UnknownView.as_view(), name="unknown"),
]
