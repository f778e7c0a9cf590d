from __future__ import annotations

from django.urls import path

from oauth import views

app_name = "oauth"
urlpatterns = [path("account/api-tokens", views.api_tokens, name="api_tokens")]
