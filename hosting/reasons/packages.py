"""Why a set of packages could not be resolved or installed: what hosting.kinds says of PyPI, npm and their tools."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    # PyPI
    gettext_noop("There is no package %(name)s on PyPI. Check the spelling of its name."),
    gettext_noop("%(name)s needs the package %(missing)s, and there is none of that name on PyPI."),
    gettext_noop(
        "%(who)s needs Python%(bound)s, and this site runs %(python)s. Choose a version of the package that supports "
        "it, or run Slipway with a newer Python."
    ),
    gettext_noop(
        "%(who)s has no wheel for %(python)s on this platform: it can only be built from source, which runs its code "
        "during installation. Allow install code in the settings of this server, or choose another version or "
        "package."
    ),
    gettext_noop("There is no version %(version)s of %(name)s on PyPI.%(hint)s"),
    gettext_noop("The package index refused the request (HTTP %(status)s). An operator has to look at its settings."),
    gettext_noop(
        "The certificate of the package index isn't trusted here. An operator has to name the right ones, in "
        "SSL_CERT_FILE or with UV_SYSTEM_CERTS=1."
    ),
    gettext_noop("The package index didn't answer. Try again later."),
    gettext_noop("The packages that %(name)s needs couldn't be installed together: %(output)s"),
    gettext_noop("%(name)s wasn't in what uv resolved."),
    gettext_noop("%(name)s needs %(missing)s from an address, not from the index."),
    gettext_noop("uv couldn't make a virtual environment for %(python)s."),
    # npm
    gettext_noop("There is no package %(name)s on npm. Check the spelling of its name."),
    gettext_noop("%(name)s needs the package %(missing)s, and there is none of that name on npm."),
    gettext_noop("There is no version %(version)s of %(name)s on npm.%(hint)s"),
    gettext_noop("%(name)s needs %(missing)s %(version)s, and npm has no such version."),
    gettext_noop("The npm registry refused the request (%(status)s). An operator has to look at its settings."),
    gettext_noop(
        "The certificate of the npm registry isn't trusted here (%(code)s). An operator has to name the right ones, "
        "in NODE_EXTRA_CA_CERTS."
    ),
    gettext_noop("The npm registry didn't answer. Try again later."),
    gettext_noop("%(name)s needs a package from a git repository. Slipway installs from npm only."),
    gettext_noop("npm couldn't install %(name)s: %(output)s"),
    gettext_noop("%(name)s wasn't in what npm resolved."),
    gettext_noop(
        "%(name)s needs the package %(missing)s from outside the npm registry or without a hash, so what would be "
        "installed can't be fixed."
    ),
    gettext_noop(
        "Install scripts of these packages are not run: %(names)s. Should the server miss what they make, allow "
        "install code in its settings."
    ),
    gettext_noop("npm packages need Node.js with npm, and %(lack)s. Install Node.js 20 or newer and deploy again."),
    # the command that starts it
    gettext_noop(
        "The package %(name)s %(version)s has no command to start: no console script and no __main__ module. It is "
        "probably a library; name the package that holds the server."
    ),
    gettext_noop(
        "%(label)s has no command to start: its package.json names no “bin”. It is probably a library; name the "
        "package that holds the server."
    ),
    gettext_noop("%(label)s names %(file)s as its command %(command)s, but has no such file."),
    gettext_noop(
        "%(label)s has several commands, and none is named like the package, so it isn't clear which one is the "
        "server: %(commands)s."
    ),
    gettext_noop("%(label)s wants to be started by “%(program)s”; Slipway starts npm packages with Node.js only."),
    gettext_noop("The package %(name)s has no readable package.json."),
    gettext_noop("The package %(name)s was installed, but left no record of itself: its wheel is broken."),
)
PARTS = (
    gettext_noop("%(name)s needs %(missing)s, which"),
    gettext_noop(" The newest one is %(version)s."),
    gettext_noop(" The newest ones are %(versions)s."),
    gettext_noop("it gave no reason."),
    gettext_noop("there is none on this machine"),
    gettext_noop("the one in PATH doesn't start"),
    gettext_noop("npm is missing on this machine"),
    gettext_noop("The package %(name)s"),
    gettext_noop("The package %(name)s %(version)s has no console script; it"),
)
