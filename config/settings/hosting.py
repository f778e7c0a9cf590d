"""What hosted servers, their calls and their tasks may use, and how long things are kept."""

from __future__ import annotations

from config import env

# The MCP endpoint
MCP_ALLOWED_ORIGINS = env.origins("MCP_ALLOWED_ORIGINS")  # of browser clients on other sites
MCP_STREAM_SECONDS = env.integer("MCP_STREAM_SECONDS", 300, least=1, most=86_400)  # then a client has to come back
MCP_CALLS_PER_PRINCIPAL = env.integer("MCP_CALLS_PER_PRINCIPAL", 256, least=1, most=100_000)  # open ones in a process
MCP_CALLS_PER_DEPLOYMENT = env.integer("MCP_CALLS_PER_DEPLOYMENT", 2048, least=1, most=100_000)

# Tasks
SLIPWAY_TASK_TTL_SECONDS = env.integer("SLIPWAY_TASK_TTL_SECONDS", 86_400, least=60, most=31_536_000)  # at most
SLIPWAY_TASK_RESULT_BYTES = env.integer("SLIPWAY_TASK_RESULT_MIB", 10, least=1, most=1024) * 1024 * 1024  # at most
# Results from this size on are kept by a Django storage, such as storages.backends.s3.S3Storage of django-storages.
SLIPWAY_TASK_STORAGE_BYTES = env.integer("SLIPWAY_TASK_STORAGE_KIB", 256, least=0, most=1_048_576) * 1024
TASK_STORAGE = env.storage("SLIPWAY_TASK_STORAGE", "SLIPWAY_TASK_STORAGE_OPTIONS")
SLIPWAY_TASK_LINES = env.integer("SLIPWAY_TASK_LINES", 5000, least=0, most=1_000_000)  # of one task's log

# A repeated call whose user is busy typing credentials is held so long before its client is sent to the page again.
SLIPWAY_HOLD_SECONDS = env.integer("SLIPWAY_HOLD_SECONDS", 30, least=0, most=45)

# Callers without an account, by their address: requests that are open at once in a process, and a minute
MCP_ANONYMOUS_CALLS_PER_ADDRESS = env.integer("MCP_ANONYMOUS_CALLS_PER_ADDRESS", 32, least=1, most=100_000)
MCP_ANONYMOUS_CALLS_PER_MINUTE = env.integer("MCP_ANONYMOUS_CALLS_PER_MINUTE", 120, least=1, most=1_000_000)

# What is kept of calls
SLIPWAY_CALL_RECORD_DAYS = env.integer("SLIPWAY_CALL_RECORD_DAYS", 30, least=1, most=3650)  # who called what

# Hosted servers
SLIPWAY_EGRESS_PRIVATE = env.networks("SLIPWAY_EGRESS_PRIVATE")  # private networks that hosted servers may reach
SLIPWAY_EGRESS_PORTS = env.ports("SLIPWAY_EGRESS_PORTS")  # on these ports of theirs, besides 443
# Pages of other hosts that hosted servers may send people to; organizations may be stricter.
SLIPWAY_PAGES = env.choice("SLIPWAY_PAGES", "allowed", ["allowed", "listed", "refused"])
SLIPWAY_PAGES_HOSTS = env.hosts("SLIPWAY_PAGES_HOSTS", [])  # for "listed"
SLIPWAY_APP_HOSTS = env.hosts("SLIPWAY_APP_HOSTS", [])  # that apps in the Playground may reach where they declare it
SLIPWAY_SANDBOX = env.choice("SLIPWAY_SANDBOX", "bubblewrap", ["bubblewrap", "insecure"])

# What an owner of a server may choose for one instance, at most; quotas of accounts are another thing.
_MIB = 1024 * 1024
SLIPWAY_CEILINGS = {
    "memory_bytes": env.integer("SLIPWAY_MAX_MEMORY_MIB", 2048, least=32, most=1_048_576) * _MIB,
    "processes": env.integer("SLIPWAY_MAX_PROCESSES", 256, least=4, most=32_768),
    "disk_bytes": env.integer("SLIPWAY_MAX_DISK_MIB", 1024, least=1, most=1_048_576) * _MIB,
    "message_bytes": env.integer("SLIPWAY_MAX_MESSAGE_MIB", 32, least=1, most=1024) * _MIB,
}
# What an owner may use altogether, where ./manage.py quota says nothing else. Build minutes and egress are a month's.
SLIPWAY_QUOTAS = {
    "deployments": env.integer("SLIPWAY_QUOTA_DEPLOYMENTS", 50, least=0, most=1_000_000),
    "awake_instances": env.integer("SLIPWAY_QUOTA_AWAKE_INSTANCES", 64, least=0, most=1_000_000),
    "memory_bytes": env.integer("SLIPWAY_QUOTA_MEMORY_MIB", 32_768, least=0, most=1_073_741_824) * _MIB,
    "build_minutes": env.integer("SLIPWAY_QUOTA_BUILD_MINUTES", 600, least=0, most=10_000_000),
    "store_bytes": env.integer("SLIPWAY_QUOTA_STORE_MIB", 20_480, least=0, most=1_073_741_824) * _MIB,
    "egress_bytes": env.integer("SLIPWAY_QUOTA_EGRESS_MIB", 102_400, least=0, most=1_073_741_824) * _MIB,
}
# How long what runs may go on with an earlier version, or on a runner that is drained.
SLIPWAY_DRAIN_SECONDS = env.integer("SLIPWAY_DRAIN_SECONDS", 3600, least=0, most=86_400)
SLIPWAY_IDLE_SECONDS = env.integer("SLIPWAY_IDLE_SECONDS", 600, least=1, most=86_400)  # then an instance goes
SLIPWAY_LEAST_IDLE_SECONDS = env.integer("SLIPWAY_LEAST_IDLE_SECONDS", 5, least=1, most=86_400)
