"""Where this installation lives, how it is reached, and the services that it stands on."""

from __future__ import annotations

from pathlib import Path

from config import address, env
from config.launch.home import home_folder, run_folder
from config.secrets import secret_read, secrets_ensure

BASE_DIR = Path(__file__).resolve().parents[2]

# Where this installation lives and how it is reached
BIND = env.text("BIND", "127.0.0.1")
PORT = address.port()
PUBLIC_URL = address.public_url()
SLIPWAY_URL = PUBLIC_URL.origin
APPS_URL = env.other_url("SLIPWAY_APPS_URL", PUBLIC_URL)  # of frames with what servers bring; None: the site's own
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
WEB_PROCESSES = env.integer("WEB_PROCESSES", 1, least=1, most=64)
REQUEST_SECONDS = env.integer("REQUEST_SECONDS", 30, least=1, most=3600)  # without a byte of a request that has begun
WORKER_THREADS = env.integer("WORKER_THREADS", 16, least=1, most=256)
SLIPWAY_DNS_SERVERS = env.name_servers("SLIPWAY_DNS_SERVERS")  # that the site asks, instead of this machine's

SLIPWAY_HOME = home_folder()
SLIPWAY_RUN = run_folder(SLIPWAY_HOME)
SLIPWAY_SECRETS = SLIPWAY_HOME / "secrets"
SLIPWAY_STORE = SLIPWAY_HOME / "store"
SLIPWAY_RUNNERS = SLIPWAY_HOME / "runners"

# Which of our processes this is: web, worker … for a shell or a command the command's name. manage.py sets it.
SLIPWAY_PART = env.text("SLIPWAY_PART", "web")

DATABASE_URL = env.service_url(
    "DATABASE_URL", f"postgresql://postgres@/slipway?host={SLIPWAY_RUN}/postgres", ["postgresql", "postgres"]
)
REDIS_URL = env.service_url("REDIS_URL", f"unix://{SLIPWAY_RUN}/valkey.sock", ["redis", "rediss", "unix"])

secrets_ensure(SLIPWAY_SECRETS)
SLIPWAY_VAULT_KEYS = env.vault_keys("SLIPWAY_VAULT_KEYS")  # instead of the file vault_keys.json there
SECRET_KEY = secret_read(SLIPWAY_SECRETS, "secret_key")
