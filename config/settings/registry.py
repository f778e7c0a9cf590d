"""The registry: who may publish what, and where packages and READMEs are asked for."""

from __future__ import annotations

from config import env

# Who may publish what
REGISTRY_GITHUB_CLIENT_ID = env.text("REGISTRY_GITHUB_CLIENT_ID")  # of the OAuth app whose device flow publishers use
REGISTRY_GITHUB_API = env.https_url("REGISTRY_GITHUB_API", "https://api.github.com")
REGISTRY_GITHUB_URL = env.https_url("REGISTRY_GITHUB_URL", "https://github.com")
REGISTRY_GITHUB_ISSUER = env.https_url("REGISTRY_GITHUB_ISSUER", "https://token.actions.githubusercontent.com")
REGISTRY_GITHUB_NAMESPACE = env.text("REGISTRY_GITHUB_NAMESPACE", "io.github")  # another one for an own GitHub
# Tokens for the audience "mcp-registry", which publishers up to 1.7 ask for, are good at every registry that takes it.
REGISTRY_GITHUB_OLD_AUDIENCE = env.flag("REGISTRY_GITHUB_OLD_AUDIENCE")
REGISTRY_ANONYMOUS = env.flag("REGISTRY_ANONYMOUS")  # anybody may publish to io.modelcontextprotocol.anonymous
REGISTRY_API_TOKENS = "oauth.api_tokens.api_token_find"  # registry and oauth are siblings: what finds a token's user

# Whose a package is
REGISTRY_CHECK_OWNERSHIP = env.flag("REGISTRY_CHECK_OWNERSHIP", True)
REGISTRY_PACKAGE_URLS = {
    "npm": env.https_url("REGISTRY_NPM_URL", "https://registry.npmjs.org"),
    "pypi": env.https_url("REGISTRY_PYPI_URL", "https://pypi.org"),
    "nuget": env.https_url("REGISTRY_NUGET_URL", "https://api.nuget.org/v3/index.json"),
    "cargo": env.https_url("REGISTRY_CARGO_URL", "https://crates.io"),
}
REGISTRY_OCI_HOSTS = env.hosts(
    "REGISTRY_OCI_HOSTS", ["docker.io", "ghcr.io", "quay.io", "mcr.microsoft.com", "*.pkg.dev", "*.azurecr.io"]
)
REGISTRY_GITHUB_HOSTS = env.hosts("REGISTRY_GITHUB_HOSTS", ["github.com", "www.github.com"])  # of bundles to download
REGISTRY_GITLAB_HOSTS = env.hosts("REGISTRY_GITLAB_HOSTS", ["gitlab.com", "www.gitlab.com"])

# READMEs of servers, for their pages and for search. 0 fetches only what somebody looks at.
REGISTRY_GITHUB_RAW = env.https_url("REGISTRY_GITHUB_RAW", "https://raw.githubusercontent.com")
REGISTRY_READMES_A_MINUTE = env.integer("REGISTRY_READMES_A_MINUTE", 20, least=0, most=600)
