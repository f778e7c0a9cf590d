"""The proxy process with a name server that the test is: `named_proxy.py FILE`, with {"name": ["address", …]} in it.

The file is read at each look-up, so that a name can change its mind. Names that it lacks have no address.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from hosting.runner.egress.__main__ import main


def ask(name: str) -> list[str]:
    found = json.loads(Path(sys.argv[1]).read_text()).get(name.removesuffix("."))
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return [str(address) for address in found]


main(ask)
