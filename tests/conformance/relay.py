"""What the suite starts as "the client": tells the test where the server is, and ends as the test says.

As a command: `relay.py SOCKET URL`. It imports nothing of the site, which is the client, in the process of the test.
"""

from __future__ import annotations

import os
import socket
import sys


def main() -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1])
        connection.sendall(f"{sys.argv[2]}\n{os.environ.get('MCP_CONFORMANCE_CONTEXT', '{}')}\n".encode())
        words = connection.makefile().read()
    print(words)
    return 0 if words.startswith("ok") else 1


if __name__ == "__main__":
    sys.exit(main())
