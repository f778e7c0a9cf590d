"""Whether a request comes in: origin, token, callers without an account, limits, scopes."""
