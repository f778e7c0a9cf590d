"""What a runner says of its instances (hosting.runner), and what the first look adds."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    # while it is there
    gettext_noop("running"),
    gettext_noop("starting"),
    gettext_noop("asleep"),
    gettext_noop("replaced"),
    gettext_noop("running: 1 instance"),
    gettext_noop("running: %(count)s instances"),
    gettext_noop("%(reason)s, %(count)s of an earlier version"),
    gettext_noop("starting: waits for its turn, %(count)s of the same owner are ahead"),
    gettext_noop("starting: preparing the sandbox"),
    gettext_noop("starting: waiting for its first answer"),
    gettext_noop("starting: connecting to %(host)s"),
    gettext_noop("asleep: not used"),
    gettext_noop("asleep: starts with what each user brings"),
    # why it was ended
    gettext_noop("made room for another session"),
    gettext_noop("another client needs its data folder"),
    gettext_noop("its data folder was deleted"),
    gettext_noop("its user's credentials are others now"),
    gettext_noop("its user's credentials were replaced"),
    gettext_noop("its user's credentials were revoked"),
    gettext_noop("its user has disconnected an account"),
    gettext_noop("the account of its user was deleted"),
    gettext_noop("a newer version takes over"),
    gettext_noop("a newer version has taken over"),
    gettext_noop("a newer placement is here already"),
    gettext_noop("it was placed elsewhere since"),
    gettext_noop("it was placed anew"),
    gettext_noop("no longer placed here"),
    gettext_noop("the session was not used"),
    gettext_noop("the client ended the session"),
    gettext_noop("the runner is stopping"),
    gettext_noop("its instance is gone: %(reason)s"),
    # why it ended, or never began
    gettext_noop("it could not be started"),
    gettext_noop("its process is gone"),
    gettext_noop("the runner failed; its log has the details"),
    gettext_noop("could not be started: %(launch)s"),
    gettext_noop("did not answer within %(seconds)s s"),
    gettext_noop("did not answer within %(seconds)s s of its start"),
    gettext_noop("did not answer in time"),
    gettext_noop("is no MCP server that can be spoken to: %(handshake)s"),
    gettext_noop("does not read its input: %(count)s MB wait for it"),
    gettext_noop("the last start failed and is tried again in %(seconds)s s: %(reason)s"),
    gettext_noop(
        "its data folder holds %(size)s, the limit is %(limit)s: download what you need and delete it, or have the "
        "limit raised"
    ),
    gettext_noop("its data folder is in use by another client or an earlier version"),
    gettext_noop("all of its %(count)s instances are in use"),
    gettext_noop("%(name)s is busy: %(crowd)s"),
    gettext_noop(
        "%(owner)s has %(count)s instances awake here of %(allowed)s that are left to this runner (quota: awake "
        "instances). %(ask)s --awake-instances"
    ),
    gettext_noop(
        "The instances of %(owner)s that are awake here may use %(used)s MiB of %(allowed)s MiB that are left to this"
        " runner (quota: memory of awake instances). %(ask)s --memory"
    ),
    # its data
    gettext_noop("there is no such data folder here"),
    gettext_noop("that is no name of a data folder"),
    gettext_noop("that download is over: begin it again"),
    gettext_noop("%(count)s downloads are under way already: try again later"),
    gettext_noop("the folder could not be read: %(error)s"),
    # Sentences are made of several of these, with "; " between them: what it lacked, how it ended, which limits it met.
    gettext_noop("needs a setting: %(name)s"),
    gettext_noop("needs an argument: %(name)s"),
    gettext_noop("needs the network: it could not reach a host"),
    gettext_noop("needs the network: it could not reach %(host)s"),
    gettext_noop("exited with code %(code)s"),
    gettext_noop("ended by %(signal)s"),
    gettext_noop("memory limit of %(size)s reached"),
    gettext_noop("process limit of %(count)s reached"),
    gettext_noop("CPU limit of %(seconds)s s reached"),
    gettext_noop("open file limit of %(count)s reached"),
    gettext_noop("disk limit of %(size)s for %(place)s reached"),
    gettext_noop("on its standard output it printed what is no JSON-RPC message: %(text)s"),
)
PARTS = (
    gettext_noop("An operator of this site can raise it: ./manage.py quota %(owner)s"),
    gettext_noop("one file"),
    gettext_noop("the sandbox could not be built: %(error)s"),
    gettext_noop("%(path)s does not exist; the environment may have been removed: deploy it anew"),
    gettext_noop("%(name)s can't be the name of a file's variable"),
    gettext_noop("%(path)s is not a program that can be run"),
    gettext_noop("%(kind)s path %(path)s is not a plain absolute path"),
    gettext_noop("%(kind)s path %(path)s holds a folder that the sandbox makes itself"),
    gettext_noop("environment variable %(name)s has a name or value that no process can be given"),
    gettext_noop("its sandbox was not ready within %(seconds)s s"),
    gettext_noop("it wants to reach the network, and here is no proxy for that"),
    gettext_noop("its way to the network could not be opened: %(error)s"),
    gettext_noop("%(handshake)s (as a legacy server: %(legacy)s)"),
    gettext_noop("it supports only the protocol versions %(versions)s"),
    gettext_noop("it answered initialize with the unknown protocol version %(version)s"),
    gettext_noop("its answer to initialize is not an InitializeResult: %(error)s"),
    gettext_noop("its answer to server/discover is not a DiscoverResult: %(error)s"),
    gettext_noop("it refused %(method)s with an error that is none"),
    gettext_noop("it refused %(method)s: %(said)s (%(code)s)"),
    gettext_noop("it answered %(method)s with neither result nor error"),
    gettext_noop("%(count)s calls are running already; the limit is that many at once"),
    gettext_noop("%(count)s calls are running already, and %(waiting)s wait for their turn"),
)
