"""What owners and the site did with a server, as its row keeps it."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    gettext_noop("queued for building"),
    gettext_noop("queued for installing it again"),
    gettext_noop("starting for the first look"),
    gettext_noop("stopped by its owner"),
    gettext_noop("restarted by its owner"),
    gettext_noop("deleted by its owner"),
    gettext_noop("rolled back to version %(number)s"),
    gettext_noop("its runner %(name)s doesn't answer; it is started elsewhere"),
    gettext_noop("version %(number)s couldn't be installed again: %(reason)s"),
    gettext_noop("version %(number)s could not be built, so version %(serving)s still serves: %(reason)s"),
    gettext_noop("with today's packages it doesn't start; resolving them as of %(day)s"),
    gettext_noop(
        "%(owner)s uses %(used)s of %(allowed)s (quota: %(quota)s). Free some, or ask an operator of this site to "
        "raise it: %(command)s"
    ),
)
PARTS = (
    gettext_noop("%(count)s MiB"),
    gettext_noop("%(count)s GiB"),
    gettext_noop("%(minutes)s minutes"),
    gettext_noop("deployments"),
    gettext_noop("awake instances"),
    gettext_noop("memory of awake instances"),
    gettext_noop("build minutes a month"),
    gettext_noop("bytes in the store"),
    gettext_noop("bytes over the network a month"),
)
