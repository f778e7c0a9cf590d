from __future__ import annotations

from django.urls import path

from accounts.views import invitations, organizations
from accounts.views.join import join
from accounts.views.sign_up import sign_up

app_name = "accounts"
urlpatterns = [
    path("join/<str:token>", join, name="join"),
    path("invite/<str:token>", invitations.invited, name="invited"),
    path("sign-up/", sign_up, name="sign_up"),
    path("people/", invitations.people, name="people"),
    path("organizations/", organizations.organization_list, name="organizations"),
    path("organizations/<str:name>/", organizations.people, name="organization"),
    path("organizations/<str:name>/audit", organizations.audit, name="audit"),
]
