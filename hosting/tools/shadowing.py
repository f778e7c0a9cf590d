"""Tools that may be taken for those of another server (threat 35: names that shadow others).

Here no call goes astray, since every server has an endpoint of its own. But a client that is connected to several shows
all their tools to one model, and a server may name a tool like another's to be called in its place. So whoever looks at
a tool is told which other servers of theirs have one of that name, or of one that looks like it.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping

from accounts.models import User
from hosting.models import Deployment, Tool
from hosting.selectors import deployments_of

MAX_TOOLS = 5000  # of the others, in the order of their names
MAX_NAMED = 3


def looks(name: str) -> str:
    """The same for names that differ in letters' case, in wide or joined letters, or in how words are joined."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def tools_alike(deployment: Deployment, user: User) -> Mapping[str, list[str]]:
    """By looks: up to three of the other servers of the user that have a tool which looks so, as "owner/name"."""
    others = deployments_of(user).exclude(pk=deployment.pk).order_by().values("pk")
    rows = Tool.objects.filter(deployment__in=others, is_listed=True, is_enabled=True)
    found: defaultdict[str, list[str]] = defaultdict(list)
    columns = ("name", "deployment__owner__display", "deployment__name")
    for name, owner, other in rows.order_by("deployment__owner__folded", "deployment__folded_name").values_list(
        *columns
    )[:MAX_TOOLS]:
        labels, label = found[looks(name)], f"{owner}/{other}"
        if len(labels) < MAX_NAMED and label not in labels:
            labels.append(label)
    return found
