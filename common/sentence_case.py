"""Titles that a library writes with capitals, in the way in which this site writes its own: "Two-factor sign-in".

Django's own way would be a catalogue of English for them. It is read only when compiled, and every machine would need
gettext for that; so the titles are listed.
"""

from __future__ import annotations

from typing import Final

# allauth's, of its pages that this site has. Translations of them, and texts of ours, are not these and stay.
TITLES: Final = frozenset(
    {
        "Account Connections",
        "Account Inactive",
        "Activate Authenticator App",
        "Add Email",
        "Add Email Address",
        "Add Security Key",
        "Authenticator App",
        "Bad Token",
        "Change Email",
        "Change Password",
        "Change Phone",
        "Confirm Access",
        "Confirm Email Address",
        "Create Passkey",
        "Deactivate Authenticator App",
        "Don't Trust",
        "Edit Security Key",
        "Email Address",
        "Email Addresses",
        "Email Verification",
        "Enter Email Verification Code",
        "Enter Password Reset Code",
        "Enter Phone Verification Code",
        "Enter Sign-In Code",
        "Login Cancelled",
        "Passkey Sign Up",
        "Password Reset",
        "Phone Verification",
        "Recovery Codes",
        "Remove Security Key",
        "Request Code",
        "Security Keys",
        "Set Password",
        "Sign In",
        "Sign Out",
        "Sign Up",
        "Sign Up Closed",
        "Third-Party Login Failure",
        "Trust this Browser?",
        "Two-Factor Authentication",
        "Verify Your Email Address",
    }
)


def sentence_case(text: str) -> str:
    """A title of the library's with a capital at its beginning only; any other text as it is."""
    return text[:1] + text[1:].lower() if text in TITLES else text
