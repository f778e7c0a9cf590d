"""What a person is told of a program that asks: its name, whose word that is, and where its answer goes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext

from oauth import redirects
from oauth.models import Application

_Source = Application.RegistrationSource


@dataclass(frozen=True)
class Asking:
    """`host` is of a client id that is a URL. `is_verified`: the one whose name it bears vouches for it."""

    name: str
    host: str
    redirect_host: str
    how: str
    is_verified: bool
    is_local: bool  # its answers go to the person's own machine, where any program could take them
    is_private: bool  # or to whatever program claimed a scheme


def describe(application: Application, redirect_uri: str = "") -> Asking:
    uris = application.redirect_uris.split()
    host = ""
    if application.registration_source == _Source.CIMD:
        host = urlsplit(application.client_id).hostname or ""
    is_private = any(map(redirects.is_private, [redirect_uri] if redirect_uri else uris))
    is_local = bool(uris) and all(redirects.is_loopback(uri) or redirects.is_private(uri) for uri in uris)
    is_local = is_local or bool(redirect_uri and redirects.is_loopback(redirect_uri))
    return Asking(
        name=application.name or host or gettext("A program without a name"),
        host=host,
        redirect_host=redirects.host_of(redirect_uri) if redirect_uri else "",
        how=_how(application, host),
        is_verified=_is_verified(application, host, uris),
        is_local=is_local,
        is_private=is_private,
    )


def described(client_id: str) -> Asking | None:
    """None for one that is registered no more, or never was a program: a token that somebody made here."""
    application = Application.objects.filter(client_id=client_id).first()
    return describe(application) if application is not None else None


def _how(application: Application, host: str) -> str:
    if application.registration_source == _Source.CIMD:
        return gettext("It describes itself at %(host)s.") % {"host": host}
    if application.registration_source == _Source.DCR:
        return gettext("It registered itself. Anybody can, under any name.")
    return gettext("It was set up on this site.")


def _is_verified(application: Application, host: str, uris: list[str]) -> bool:
    """Set up here, or a document whose host also gets all the answers. A program on the person's own machine can be
    anyone who read the document, unless it proves itself with a key."""
    if application.registration_source == _Source.MANUAL:
        return True
    if application.registration_source != _Source.CIMD:
        return False
    return all(urlsplit(uri).scheme == "https" and urlsplit(uri).hostname == host for uri in uris)
