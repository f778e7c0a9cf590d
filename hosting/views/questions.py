"""What an organization's servers may ask people: a page for its administrators."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext

from accounts.reauthentication import check_present
from accounts.views.page import OrganizationPage, organization_page
from common.errors import AppError
from common.http import add_error
from hosting.forms.questions import QuestionPolicyForm
from hosting.models import QuestionPolicy
from hosting.questions.policies import question_policy_set
from hosting.questions.rules import question_policy_of


@organization_page()
def questions(page: OrganizationPage) -> HttpResponse:
    policy = question_policy_of(page.organization.pk) or QuestionPolicy()
    if page.action:
        check_present(page.request)
    form = QuestionPolicyForm(
        page.request.POST if page.action else None,
        initial={"pages": policy.pages, "hosts": "\n".join(policy.hosts)},
    )
    if form.is_valid():
        try:
            question_policy_set(actor=page.actor, organization=page.organization, **form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            messages.success(page.request, gettext("Saved. It counts from the next call on."))
            return page.back("organization_questions")
    return page.show("questions", "questions", status=400 if form.is_bound else 200, form=form)
