"""One machine, reached at a loopback address: what `make up` runs unless SLIPWAY_URL is https."""

from config import env
from config.settings.base import *  # noqa: F403

DEBUG = env.flag("SLIPWAY_DEBUG")
