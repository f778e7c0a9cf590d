"""How calls and tasks ended without a result, as a task's row keeps it, and why nobody is asked a question."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    gettext_noop("waits for its start"),
    gettext_noop("started again: %(reason)s"),
    gettext_noop("runs as a task of the hosted server"),
    gettext_noop("waiting: %(crowd)s"),
    # the site
    gettext_noop("Its server was stopped."),
    gettext_noop("Its server was stopped or deleted."),
    gettext_noop("its server was deleted"),
    gettext_noop("The account of its user is switched off."),
    gettext_noop("Its user may no longer call this server."),
    gettext_noop("The task was cancelled by request."),
    gettext_noop(
        "The tool %(how)s, but what it gave was not kept: %(size)s MB are more than this site's limit of "
        "%(limit)s MB for the result of a task."
    ),
    gettext_noop("The user declined to give this server the credentials that it needs, so the call was not made."),
    gettext_noop("The user neither gave nor refused the credentials that this server needs, so the call was not made."),
    gettext_noop("The user did not give this server the credentials that it needs in time, so the call was not made."),
    # the runner
    gettext_noop("its runner is gone"),
    gettext_noop("its runner knows nothing of it any more"),
    gettext_noop("its runner was restarted during the call"),
    gettext_noop("the runner ended during the call"),
    gettext_noop("its question was not answered in time"),
    gettext_noop("The call was given up: %(given_up)s."),
    # the server
    gettext_noop("the call was cancelled"),
    gettext_noop("the server answered with an error"),
    gettext_noop("the hosted server cancelled it"),
    gettext_noop("The hosted server cancelled the call"),
    gettext_noop("The hosted server cancelled the call: %(words)s"),
    gettext_noop("The hosted server's answer could not be understood: %(error)s"),
    gettext_noop("The hosted server sent a response with neither result nor error"),
    gettext_noop("The hosted server sent a message larger than the limit of %(count)s MB"),
    gettext_noop("The hosted server made a task of the call under an id that it has used already, or none"),
    gettext_noop("The hosted server's word about its task could not be understood: %(error)s"),
    gettext_noop("The hosted server can't tell of its task any more: %(words)s"),
    gettext_noop("The hosted server's task gave more than the limit of %(count)s MB"),
    gettext_noop("The hosted server answered %(method)s with a task"),
    gettext_noop("The hosted server asked for input more than %(count)s times in one call"),
    gettext_noop("The hosted server needs a capability that the client does not declare"),
    gettext_noop("The client could not answer %(method)s"),
    gettext_noop(
        "The server sends its user to a page, which this client can't open by itself.%(quoted)s Ask the user to "
        "open %(url)s in a browser, and call again afterwards."
    ),
    # its questions (hosting.questions)
    gettext_noop("The question can't be read."),
    gettext_noop("The field “%(field)s” asks for a secret, which must not be typed into a form. %(advice)s"),
    gettext_noop("The address that it gave is not opened: %(invalid)s. Give a plain https address."),
    gettext_noop("%(rule)s lets servers send nobody to pages of other hosts, so %(host)s is not opened."),
    gettext_noop("%(host)s is not among the hosts that %(rule)s allows pages of."),
)
PARTS = (
    gettext_noop("ended well"),
    gettext_noop("ended with an error of its own"),
    gettext_noop("was refused"),
    gettext_noop("more than %(count)s MB wait for the client to read them"),
    gettext_noop(" It says: “%(said)s”"),
    gettext_noop("its host is a number, not a name"),
    gettext_noop("its host is a name of a local network"),
    gettext_noop("it is longer than %(count)s characters"),
    gettext_noop("it has blanks, control characters or backslashes in it"),
    gettext_noop("it can't be read as an address"),
    gettext_noop("it is no https address"),
    gettext_noop("it has a user's name or a password in it"),
    gettext_noop("it has no host that can be read"),
    gettext_noop("its parameter “%(name)s” would carry a credential"),
    gettext_noop("The operator of this site"),
    gettext_noop("the operator of this site"),
    gettext_noop("The organization %(owner)s"),
    gettext_noop("the organization %(owner)s"),
    gettext_noop(
        "Declare it in server.json as a secret variable or header, so that it is asked for once and kept sealed, "
        "or send the person to a page of yours with a URL elicitation."
    ),
)
