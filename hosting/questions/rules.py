"""Whose rules say to which pages a deployment's servers may send people."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from hosting.models import Deployment, QuestionPolicy
from hosting.runner.placement import ALLOWED, PageRule, Pages


def pages_of(deployment: Deployment, remote_url: str = "") -> Pages:
    """What its runner goes by; needs `owner` selected. A remote server's own host is not foreign, nor is the site's."""
    own = {urlsplit(address).hostname or "" for address in (settings.SLIPWAY_URL, remote_url) if address}
    rules = []
    if settings.SLIPWAY_PAGES != ALLOWED:
        rules.append(PageRule("The operator of this site", settings.SLIPWAY_PAGES, settings.SLIPWAY_PAGES_HOSTS))
    policy = question_policy_of(deployment.owner.organization_id)
    if policy is not None and policy.pages != ALLOWED:
        rules.append(PageRule(f"The organization {deployment.owner.display}", policy.pages, list(policy.hosts)))
    return Pages(sorted(own), rules)


def question_policy_of(organization_id: UUID | None) -> QuestionPolicy | None:
    return QuestionPolicy.objects.filter(pk=organization_id).first() if organization_id is not None else None
