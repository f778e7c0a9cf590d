"""The toolkit's core with our server and validator: what turns Django's requests into oauthlib's and back."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from oauth2_provider.oauth2_backends import get_oauthlib_core


@lru_cache(maxsize=1)
def backend() -> Any:
    """An oauth2_provider.oauth2_backends.OAuthLibCore."""
    return get_oauthlib_core()
