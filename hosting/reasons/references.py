"""Why what somebody typed, or an entry of the registry, names nothing that can be hosted."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    # references (hosting.kinds.reference)
    gettext_noop("This reference is longer than %(count)s characters: %(examples)s."),
    gettext_noop("A reference is one line without control characters: %(examples)s."),
    gettext_noop("A reference says first where the server comes from: %(examples)s."),
    gettext_noop("“%(kind)s:” isn't a kind of server that Slipway knows: %(examples)s."),
    gettext_noop("A PyPI package is written pypi:NAME or pypi:NAME==VERSION, without ranges, extras or addresses."),
    gettext_noop(
        "“%(name)s” can't be the name of a PyPI package: letters, digits, “-”, “_” and “.”, beginning and ending with"
        " a letter or digit."
    ),
    gettext_noop("“%(version)s” isn't one exact version: write pypi:%(name)s==1.2.3, or pypi:%(same)s for the newest."),
    gettext_noop(
        "“%(name)s” can't be the name of an npm package: write npm:NAME or npm:@scope/NAME, each of letters, digits, "
        "“-”, “_”, “.” and “~”, beginning with a letter or digit."
    ),
    gettext_noop(
        "“%(version)s” isn't one exact version or a tag: write npm:%(name)s@1.2.3 or npm:%(same)s@next, or "
        "npm:%(again)s for the newest."
    ),
    gettext_noop(
        "Source is uploaded on the page, or hosted from a shell with ./manage.py host source:PATH, where PATH is a "
        "Python file, a zip or a folder. As a reference it is source: and the upload's SHA-256."
    ),
    gettext_noop("“%(name)s” can't be the name of a server in the registry: write registry:io.github.owner/name."),
    gettext_noop(
        "“%(version)s” can't be a version: write registry:%(name)s@1.2.3, or registry:%(same)s for the latest."
    ),
    # addresses (hosting.kinds.remote)
    gettext_noop("“%(address)s” is no address: write remote:https://example.org/mcp, for example."),
    gettext_noop("The address of a remote server begins with https:// and a host: remote:https://example.org/mcp."),
    gettext_noop("An address has no user name or password in it: credentials are settings, and kept sealed."),
    gettext_noop("An address ends before the “#”, which servers never see."),
    gettext_noop("“%(host)s” can't be the host of a server: %(invalid)s."),
    gettext_noop("An address has a port from 1 to 65535."),
    gettext_noop("The path of an address is of letters, digits and signs; everything else is percent-encoded."),
    gettext_noop("A remote server is reached by https only. Write its address with https://."),
    # server.json (hosting.kinds.server_json)
    gettext_noop("A server.json is a JSON object."),
    gettext_noop("This server.json offers no package from PyPI or npm that speaks stdio, and no remote."),
    gettext_noop(
        "This server.json offers no package from PyPI or npm that speaks stdio, and no remote; it offers %(kinds)s."
    ),
    gettext_noop("This server.json declares more than %(count)s inputs."),
    gettext_noop("Arguments for the launcher aren't used, because Slipway starts the package itself: %(arguments)s."),
)
PARTS = (
    gettext_noop("write pypi:mcp-server-time or npm:@modelcontextprotocol/server-everything, for example"),
    # common.addresses
    gettext_noop("not a host name"),
    gettext_noop("brackets are for IPv6 addresses"),
    gettext_noop("addresses with a zone are local"),
    gettext_noop("not an address in its usual form"),
)
