"""Which words name a secret that somebody is asked to type. Pure.

A name is read by its parts ("dbPassword", "API-Key"), and what counts is what it ends with: "password" and
"password_confirmation" ask for one, "password_policy", "max_tokens" and "public_key" do not. A sentence asks for one
where it tells somebody to type it ("Enter your GitHub password"), not where it only speaks of it.

What this can't do: a server that means ill finds other words. It keeps honest ones from a mistake, and makes the
dishonest ones write what a person finds odd.
"""

from __future__ import annotations

import re
import unicodedata

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")

_PHRASES = (
    # what signs somebody in
    "password", "passwords", "passwd", "passphrase", "passcode", "pass phrase", "pass code", "pwd", "secret",
    "credential", "credentials", "otp", "totp", "pin code", "pincode", "pin number",
    "one time code", "verification code", "authentication code", "authenticator code", "authorization code",
    "auth code", "security code", "sms code", "mfa code", "2fa code", "recovery code", "backup code",
    "recovery phrase", "seed phrase", "mnemonic phrase", "session cookie",
    # what a program signs in with
    "api key", "apikey", "api keys", "access key", "secret key", "private key", "account key", "auth key",
    "authentication key", "encryption key", "decryption key", "signing key", "master key", "shared key", "deploy key",
    "bearer", "jwt", "token", "connection string", "service account json", "service account key",
    # what pays
    "credit card", "debit card", "credit card number", "debit card number", "card number", "payment card", "cvv",
    "cvc", "cvv2", "card verification value",
    # and elsewhere
    "passwort", "kennwort", "mot de passe", "contraseña", "contrasena", "senha", "wachtwoord", "hasło", "lösenord",
    "пароль", "密码", "密碼", "口令", "パスワード", "비밀번호",
)  # fmt: skip
_ENDS = frozenset(tuple(phrase.split()) for phrase in _PHRASES)
_LONGEST = max(map(len, _ENDS))
_RUN_TOGETHER = (
    "password", "passwd", "passphrase", "apikey", "accesstoken", "authtoken", "refreshtoken", "bearertoken", "apitoken",
    "privatekey", "secretkey", "accesskey", "clientsecret", "creditcard", "creditcardnumber", "cardnumber",
)  # fmt: skip

# After the secret itself: "password_again", "api_key_value", "new password 2".
_STILL = frozenset({
    "value", "text", "string", "again", "confirm", "confirmation", "confirmed", "repeat", "repeated", "verify",
    "plain", "plaintext", "input", "here", "please", "required", "optional",
})  # fmt: skip

# Words that make something else of the one that follows: a token to go on with, a key that everybody may see.
_NOT_AFTER = {
    "token": frozenset({
        "page", "next", "continuation", "continue", "pagination", "cursor", "sync", "cancellation", "cancel", "design",
        "stop", "start", "end", "first", "last", "per", "native", "reward", "crypto", "erc20", "governance", "utility",
        "mask", "pad", "special", "lookahead", "resume", "upload", "style", "each", "single",
    }),
    "bearer": frozenset({"ring", "pall", "flag", "load"}),
    "key": frozenset({"public"}),
    "code": frozenset({"no"}),
    "secret": frozenset({"no", "top", "not", "non"}),
}  # fmt: skip

_ASKS = re.compile(
    r"\b(?:enter|type|paste|provide|supply|insert|input|give|tell|send|share|submit|confirm|fill in|need|needs|want|"
    r"wants|require|requires|what is|what's|gib|geben|introduce|saisissez)\b"
)
_HEAD = re.compile(r"[(\[,:?–—]| - |\b(?:for|of|from|to|in|on|at|that|which)\b")
_CLAUSE = re.compile(r"[.!?;:\n]+(?:\s|$)")
_DENIES = re.compile(r"\b(?:not|never|no|without|don't|doesn't|won't|cannot|can't)\b")
_GAP = 4  # words between the verb and what it asks for: "enter the personal access token"
# What may stand there and makes the sentence one about a secret, not one that asks for it.
_ABOUT = frozenset({
    "name", "names", "id", "ids", "identifier", "label", "title", "type", "kind", "path", "file", "url", "scope",
    "scopes", "purpose", "expiry", "number", "count", "length", "list", "which", "whether", "if", "reset", "rotate",
    "change", "revoke", "delete", "create", "generate", "how", "many", "where", "location", "reason", "policy", "using",
    "with", "by",
})  # fmt: skip
# What may follow and makes another thing of it: "your password manager".
_THINGS = frozenset({
    "manager", "managers", "policy", "policies", "hint", "length", "reset", "rotation", "expiry", "name", "names", "id",
    "ids", "count", "limit", "limits", "budget", "usage", "type", "types", "field", "file", "path", "generator",
    "rules", "strength",
    "store", "vault", "scope", "scopes", "holder", "reader", "protection", "symbol", "address", "format",
})  # fmt: skip


def words_of(text: str) -> list[str]:
    """The parts of a name or a sentence, in small letters; what can't be seen is left out first."""
    plain = "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf")
    return [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", plain))]


def names_secret(name: str) -> bool:
    """Whether a property, a parameter or a label is called like a secret."""
    words = words_of(name)
    while words and _secret_size(words) is None and (words[-1] in _STILL or words[-1].isdigit()):
        words.pop()
    return bool(words) and (_secret_size(words) is not None or words[-1].endswith(_RUN_TOGETHER))


def labels_secret(label: str) -> bool:
    """The same for a title, whose beginning counts: "API key of your account", "Token (from your settings)"."""
    head = _HEAD.split(label.strip(), maxsplit=1)[0] or label
    return names_secret(head) and not _DENIES.search(head.lower())


def asks_for_secret(prose: str) -> bool:
    """Whether a description or a message tells somebody to type a secret."""
    return any(_clause_asks(clause) for clause in _CLAUSE.split(prose[:20_000]))


def _clause_asks(clause: str) -> bool:
    lower = clause.lower().replace("’", "'")
    for found in _ASKS.finditer(lower):
        if _DENIES.search(lower[: found.start()]):
            return False
        after = words_of(lower[found.end() :])[: _GAP + _LONGEST + 1]
        for end in range(1, len(after) + 1):
            size = _secret_size(after[:end])
            if size is None:
                continue
            between, following = after[: end - size], after[end : end + 1]
            longer = bool(following) and _secret_size(after[: end + 1]) is not None
            if longer or len(between) > _GAP:
                continue
            if not _ABOUT.intersection(between) and not _THINGS.intersection(following):
                return True
    return False


def _secret_size(words: list[str]) -> int | None:
    """How many words at the end name a secret; None where they don't."""
    for size in range(min(_LONGEST, len(words)), 0, -1):
        if tuple(words[-size:]) in _ENDS:
            before = words[-size - 1] if len(words) > size else ""
            return None if before in _NOT_AFTER.get(words[-1], ()) else size
    return None
