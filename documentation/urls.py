from __future__ import annotations

from django.urls import path

from documentation import views

app_name = "documentation"
urlpatterns = [
    path("design", views.design, name="design"),
    path("docs/", views.contents, name="contents"),
    path("docs/search", views.search, name="search"),
    path("docs/<slug:slug>.md", views.source, name="source"),
    path("docs/<slug:slug>", views.page, name="page"),
]
