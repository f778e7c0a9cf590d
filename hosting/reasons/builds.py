"""Why a build failed or was refused whatever its packages are, what it noticed, and the steps that it goes through."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    gettext_noop("The build failed for a reason of ours; the operator finds it in the worker's log."),
    gettext_noop("The environment couldn't be stored: %(error)s. An operator has to look at the disk."),
    gettext_noop("The environment of %(resolved)s was gone right after it was built."),
    gettext_noop("Another build of %(resolved)s is taking too long. Try again later."),
    gettext_noop(
        "%(resolved)s was resolved for %(runtime)s on %(platform)s, and here is %(here)s on %(machine)s. Deploy it "
        "again."
    ),
    gettext_noop("This environment doesn't say how its source is started. Deploy it again."),
    gettext_noop(
        "The consent to run install code was for the package before. If this one needs it too, agree again in the "
        "settings."
    ),
    gettext_noop("%(name)s was taken down from this site's registry: %(said)s"),
    gettext_noop(
        "Anonymous access was switched off because a secret was set: callers without an account would have used it. "
        "Switch it on again and confirm that they may."
    ),
    # its sandbox and its tools
    gettext_noop("It names more packages than can be resolved at once."),
    gettext_noop("The build sandbox could not be made: %(error)s."),
    gettext_noop("What it installed can't be used: %(leftover)s."),
    gettext_noop("%(culprit)s was stopped: %(limit)s."),
    gettext_noop("The tool %(tool)s couldn't be started: %(error)s."),
    gettext_noop("%(tool)s wasn't done after %(seconds)s seconds and was stopped. Try again later."),
    # what it noticed
    gettext_noop("%(notice)s, which should have %(rule)s and be different from each other: %(names)s%(more)s."),
    gettext_noop("Its dependencies are those of %(day)s, because with today's it doesn't start: %(reason)s"),
    gettext_noop("Dependencies as of %(day)s couldn't be installed: %(reason)s"),
    gettext_noop("Dependencies as of %(day)s couldn't be installed (%(reason)s), and with today's: %(how)s"),
    gettext_noop("it doesn't start"),
    gettext_noop(
        "This month's quota for the network is used up: instances that start now have no network. An operator of this "
        "site can raise it."
    ),
    gettext_noop(
        "It didn't answer on its standard streams. Its description mentions the argument %(argument)s: add it in the "
        "settings if that is how it is told to use them."
    ),
    # how it goes, and what a deployment's reason says meanwhile
    gettext_noop("building: %(step)s"),
    gettext_noop("built: %(resolved)s"),
)
PARTS = (
    gettext_noop("%(file)s is a link that leads out of the package"),
    gettext_noop("%(file)s is neither a file nor a folder"),
    gettext_noop("Its install code"),
    gettext_noop("Its installation"),
    gettext_noop("1 package"),
    gettext_noop("%(count)s packages"),
    gettext_noop("folder limit of %(size)s GB or %(count)s files reached"),
    gettext_noop("Some clients may not take the names of these tools"),
    gettext_noop("1 to 128 letters (A–Z, a–z), digits, “_”, “-” and “.”"),
    gettext_noop(" and %(count)s more"),
)
# Shown by themselves, and within "building: …".
STEPS = (
    gettext_noop("building"),
    gettext_noop("resolving"),
    gettext_noop("resolving: %(packages)s"),
    gettext_noop("waiting for another build of the same packages"),
    gettext_noop("downloading %(packages)s"),
    gettext_noop("downloading and installing %(packages)s"),
    gettext_noop("installing %(packages)s"),
    gettext_noop("compiling"),
    gettext_noop("building the project"),
    gettext_noop("building %(name)s"),
    gettext_noop("running install scripts"),
    gettext_noop("checking"),
    gettext_noop("ready"),
)
