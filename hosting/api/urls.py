from __future__ import annotations

from django.urls import path, re_path

from hosting.api.views import deployments, documents

_D = "deployments/<str:owner>/<str:name>"

app_name = "api"
urlpatterns = [
    path("", documents.entrance, name="entrance"),
    path("schema", documents.schema_document, name="schema"),
    path("deployments", deployments.DeploymentsView.as_view(), name="deployments"),
    path(_D, deployments.DeploymentDetailView.as_view(), name="deployment"),
    path(f"{_D}/start", deployments.StartView.as_view(), name="start"),
    path(f"{_D}/stop", deployments.StopView.as_view(), name="stop"),
    path(f"{_D}/restart", deployments.RestartView.as_view(), name="restart"),
    re_path("", documents.UnknownView.as_view(), name="unknown"),
]
