"""How people and clients reach this installation, as the environment says."""

from __future__ import annotations

from config import env


def port() -> int:
    return env.integer("PORT", 8000, least=1, most=65535)


def public_url() -> env.PublicUrl:
    return env.public_url("SLIPWAY_URL", f"http://127.0.0.1:{port()}")
