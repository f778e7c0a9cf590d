from __future__ import annotations

from django.urls import include, path

from hosting import views

_pages = [
    path("servers/", views.my_servers, name="my_servers"),
    path("servers/new", views.new, name="new"),
    path("d/<str:owner>/<str:name>/", views.deployment, name="deployment"),
    path("d/<str:owner>/<str:name>/start", views.start, name="start"),
    path("d/<str:owner>/<str:name>/stop", views.stop, name="stop"),
    path("d/<str:owner>/<str:name>/restart", views.restart, name="restart"),
    path("d/<str:owner>/<str:name>/delete", views.delete, name="delete"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("", include((_pages, "hosting"))),
]
