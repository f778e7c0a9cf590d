"""Hooks of django-allauth: who may make an account, account names of our grammar, the audit row of signing up, and the
picture that an authenticator reads."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext

from accounts import names
from accounts.models import Name, User
from common.errors import AppError
from events.actors import person
from events.audit import record

_QR_MASK = 3


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    def build_totp_svg(self, url: str) -> str:
        """With one mask for all: any can be read (ISO/IEC 18004, 7.8), and to look for the best of the eight took a
        third of the page's time."""
        import qrcode  # few need it, so late
        from qrcode.image.svg import SvgPathImage

        code = qrcode.QRCode(mask_pattern=_QR_MASK)
        code.add_data(url)
        drawn = BytesIO()
        code.make_image(image_factory=SvgPathImage).save(drawn)
        return drawn.getvalue().decode()


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed unless the operator opens it: whoever has an account may host code on this machine. Whoever was
        invited has a page of their own."""
        return bool(settings.SLIPWAY_SIGN_UP == "open")

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> Any:
        """Accounts of programs are never signed in to, in whatever way."""
        if user.service_of_id is not None:
            raise ImmediateHttpResponse(redirect("account_login"))
        return super().pre_login(request, user, **kwargs)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """`shallow` leaves the look into the database out; the unique row decides anyway."""
        try:
            name = names.parse(username)
        except AppError as error:
            raise ValidationError(error.message, code=error.code) from error
        if not shallow and Name.objects.filter(folded=name.folded).exists():
            raise ValidationError(gettext("This name is taken. Choose another one."), code="name_taken")
        return name.display

    def generate_unique_username(self, txts: list[str], regex: str | None = None) -> str:
        return str(super().generate_unique_username(txts, regex or r"[^a-zA-Z0-9]"))

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Signing up never makes an administrator, whatever the form is made to carry."""
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=False)
            saved.is_superuser = saved.is_staff = False
            if commit:
                saved.save()
                record(person(saved.id), "user:sign_up", "user", saved.id, name=saved.username)
        return saved


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Who comes from another site. Accounts are known by the other site's subject; an address links to none, so that
    nobody gets in by what a provider says of addresses."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        if settings.SLIPWAY_SIGN_UP != "domain":
            return bool(super().is_open_for_signup(request, sociallogin))
        checked = [one.email.lower() for one in sociallogin.email_addresses if one.verified]
        domains = {address.rpartition("@")[2] for address in checked if "@" in address}
        return bool(domains & set(settings.SLIPWAY_SIGN_UP_DOMAINS))

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """Its addresses are there whether or not the operator set the provider up."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist as error:
            raise Http404 from error
