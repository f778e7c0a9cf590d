"""The shells around bubblewrap, which say what no option of it does: enter the control groups, wait to be let go, keep
secret files, become the server as its own user.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from hosting.runner.runtimes import view
from hosting.runner.runtimes.base import LaunchSpec
from hosting.runner.runtimes.identities import INSIDE, Identity
from hosting.runner.runtimes.machine import TOOLS

# Numbers of descriptors in bubblewrap. The shells can name none above 9.
HANDSHAKE, STORED, OPTIONS, FILTER, USERNS, INPUT, OUTPUT, FIRST_FILE = 3, 4, 5, 6, 7, 8, 9, 10
_ENTER = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo 0 >"$1" || exit 1; shift; n=$((n-1)); done; exec "$@"'
# The server-to-be. With users of their own it is bubblewrap's child; otherwise the shell is the first process itself
# (see view.first_process), forks, and stays to reap.
# Only the server gets its input and output: bubblewrap would hold what it has as 0 and 1 open beside it, and then
# nobody could tell that the server closed its end.
_BECOME = (
    'echo >&3; read -r go <&3 || exit 1; exec 3>&- 7<&- <&8 >&9; exec 8<&- 9>&-; cd "$1" || exit 1; shift; exec "$@"'
)
_FORK = f"( {_BECOME} ) & exec 3>&- 8<&- 9>&- </dev/null >/dev/null 2>&1; wait $!; exit $?"
# Before that, as the server's own user, who must be the only one to read them: secret files, one after the other in one
# descriptor. Arguments: how many, then name and length of each. One read of a memory file is a whole one.
_STORE = (
    'n=$1; shift; mask=$(umask); umask 077; while [ "$n" -gt 0 ]; do '
    f'PATH=/usr/bin:/bin dd bs="$2" count=1 <&4 >"{view.SECRETS}/$1" 2>/dev/null || exit 1; '
    'shift 2; n=$((n-1)); done; umask "$mask"; exec 4<&-; '
)
_DROP = (
    "--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs",
)  # fmt: skip


def argv(bubblewrap: str, spec: LaunchSpec, identity: Identity | None, entrances: Sequence[str]) -> list[str]:
    """The whole command of one start. `entrances` are the files of the control groups to write oneself into."""
    script, stored = _FORK if identity is None else _BECOME, list[str]()
    if spec.files:
        lengths = {name: str(len(content.encode())) for name, content in spec.files.items() if content}
        script = _STORE + script
        stored = [str(len(lengths)), *(word for pair in lengths.items() for word in pair)]
    shell = ["/bin/sh", "-c", script, "server", *stored, spec.cwd or view.HOME]
    command = [bubblewrap, "--args", str(OPTIONS), "--", *_become(identity), *shell, *spec.argv]
    if not entrances:
        return command
    return ["/bin/sh", "-c", _ENTER, "enter", str(len(entrances)), *entrances, *command]


def _become(identity: Identity | None) -> list[str]:
    if identity is None:
        return []
    uid = str(INSIDE if identity.namespace >= 0 else identity.uid)
    return [shutil.which("setpriv", path=TOOLS) or "setpriv", "--reuid", uid, "--regid", uid, *_DROP, "--"]
