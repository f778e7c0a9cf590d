"""Names and sentences that ask for a secret, and those that only look like it."""

from __future__ import annotations

import pytest

from hosting.questions.secret_words import asks_for_secret, labels_secret, names_secret


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "dbPassword", "db_password", "USER-PASSWORD", "userpassword", "new_password_2",
        "password_confirmation", "passwd", "pwd", "passphrase", "token", "github_token", "githubToken", "accessToken",
        "accesstoken", "apiKey", "api-key", "API_KEY", "APIKey", "apikey", "X-Api-Key", "api_key_value", "secret",
        "clientSecret", "client_secret", "AWS_SECRET_ACCESS_KEY", "private_key", "sshPrivateKey", "credentials", "otp",
        "one-time code", "verificationCode", "2fa_code", "creditCard", "credit_card_number", "cardNumber", "cvv", "CVC",
        "connectionString", "pin_code", "seed phrase", "Passwort", "contraseña", "mot_de_passe", "密码", "пароль",
        "pass\u200bword", "ｐａｓｓｗｏｒｄ",
    ],
)  # fmt: skip
def test_a_secrets_name(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "name", "email", "max_tokens", "maxTokens", "tokens", "token_count", "tokenizer", "page_token",
        "nextPageToken", "continuation_token", "token_type", "tokenName", "password_policy", "passwordLength",
        "password_hint", "passwordless", "secret_name", "secret_id", "secretPath", "secretary", "key", "keyword",
        "public_key", "publicKey", "primary_key", "issue_key", "project_key", "sort_key", "access_level", "key_id",
        "api_key_id", "api_key_name", "credential_name", "card", "card_title", "board_card", "postcard", "discard",
        "code", "zip_code", "country_code", "status_code", "error_code", "pin", "pinned", "shipping", "bearing",
        "ring_bearer", "username", "user", "author", "authority", "authentication_method", "session", "session_id",
        "hash", "pass", "bypass", "passenger", "compass", "connection", "strings", "opt", "design_token", "first_name",
        "no_secret",
    ],
)  # fmt: skip
def test_a_plain_name(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    "label",
    ["Password for GitHub", "API key of your account", "Token (from your settings)", "Your password", "Card number:",
     "Secret, as given by the vendor", "New password (again)"],
)  # fmt: skip
def test_a_secrets_label(label: str) -> None:
    assert labels_secret(label)


@pytest.mark.parametrize(
    "label",
    ["Name of the API key", "Number of tokens", "Password policy", "Which password manager do you use?",
     "Public key to add", "Reason for the new password policy", "Secret's name", "Ask for a token?"],
)  # fmt: skip
def test_a_plain_label(label: str) -> None:
    assert not labels_secret(label)


@pytest.mark.parametrize(
    "prose",
    [
        "Enter your GitHub password", "Please type your password.", "Please provide the API key for Stripe.",
        "Paste a personal access token", "We need your credit card number to go on", "What is your PIN code?",
        "Your session expired. Enter your password to go on.", "To continue, confirm your current password!",
        "Type the verification code that we sent to you", "I require the client secret of your application",
    ],
)  # fmt: skip
def test_prose_that_asks_for_a_secret(prose: str) -> None:
    assert asks_for_secret(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "", "Who are you?", "Do not enter your password here.", "Never type a password.",
        "Choose a name for the new token", "Enter the name of the API key to revoke", "How many tokens may this cost?",
        "Which password manager do you use?", "Enter the maximum number of tokens", "Your password policy is too weak",
        "Your token budget is used up: how much more may it cost?", "Reset your password?", "Delete the secret?",
        "The password was changed. Tell me when it works.", "Give a reason", "Enter the public key to install",
        "Should I rotate the credentials of the service?", "The server is secured with a password.",
    ],
)  # fmt: skip
def test_prose_that_does_not(prose: str) -> None:
    assert not asks_for_secret(prose)
