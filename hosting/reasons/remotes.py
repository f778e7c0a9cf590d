"""What went wrong with a server that runs elsewhere, or with the account for it. Each begins with its host."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    # its address and the way there
    gettext_noop("%(host)s leads to a %(kind)s (%(address)s), which this site does not connect to"),
    gettext_noop("%(host)s is asked for on port %(port)s: public servers are reached on port 443 only"),
    gettext_noop("%(host)s is asked for on port %(port)s, which the operator has not listed"),
    gettext_noop("%(host)s is asked for without encryption: public servers are reached by https only"),
    gettext_noop("%(host)s has no certificate that is trusted here: %(error)s"),
    gettext_noop("%(host)s could not agree on a secure connection: %(error)s"),
    gettext_noop("%(host)s could not be found: %(unfound)s"),
    gettext_noop("%(host)s refused the connection"),
    gettext_noop("%(host)s could not be reached: %(broken)s"),
    gettext_noop("%(host)s could not be reached"),
    gettext_noop("%(host)s did not take the connection in time"),
    gettext_noop("%(host)s could not be asked: %(error)s"),
    gettext_noop("%(host)s has more requests of this server open than may be at once"),
    # its answers
    gettext_noop("%(host)s did not answer within %(seconds)s s"),
    gettext_noop("%(host)s broke the connection off before it had answered"),
    gettext_noop("%(host)s closed the stream before it had answered; the request is not sent again"),
    gettext_noop("the runner was restarted while %(host)s was asked; the request is not sent again"),
    gettext_noop("the stream broke off and could not be taken up again: %(reason)s"),
    gettext_noop("%(host)s closed its event stream"),
    gettext_noop("%(host)s answered with a redirect%(target)s, which is not followed: host that address instead"),
    gettext_noop("%(host)s answered with %(kind)s, which is no MCP message: is the address right?"),
    gettext_noop("%(host)s answered %(status)s"),
    gettext_noop("%(host)s answered another request than it was asked"),
    gettext_noop("%(host)s answered with what is no JSON-RPC message"),
    gettext_noop("%(host)s sent a message larger than the limit of %(count)s MB"),
    gettext_noop("%(host)s named no address to post to"),
    gettext_noop("%(host)s named an address elsewhere to post to"),
    gettext_noop("%(host)s gave a session id that can't be sent back"),
    gettext_noop("%(host)s has ended the session"),
    gettext_noop("%(host)s wants headers for the tool's arguments and does not list it"),
    gettext_noop("%(host)s does not take its messages: %(count)s MB wait for it"),
    gettext_noop("the connection was closed"),
    gettext_noop("%(host)s refuses its token"),
    gettext_noop("its token has expired, and it can't be refreshed"),
    gettext_noop("%(host)s does not renew it any more (%(error)s)"),
    # who may call it
    gettext_noop("%(host)s asks for sign-in: its owner has to connect an account (it answered %(status)s)"),
    gettext_noop(
        "%(host)s refuses the account or key that it was called with for you (it answered %(status)s): connect or "
        "replace it at %(page)s"
    ),
    gettext_noop("%(host)s wants more than its account may%(scopes)s: its owner has to sign in there again"),
    gettext_noop("%(host)s wants more than your account may%(scopes)s: see what it asks for at %(page)s"),
)
PARTS = (
    gettext_noop("its name is not known"),
    gettext_noop("it closed the connection"),
    # common.addresses
    gettext_noop("loopback address"),
    gettext_noop("link-local address"),
    gettext_noop("private address"),
    gettext_noop("carrier's private address"),
    gettext_noop("multicast address"),
    gettext_noop("translated IPv4 address"),
    gettext_noop("address for documentation"),
    gettext_noop("metadata address"),
    gettext_noop("reserved address"),
)
