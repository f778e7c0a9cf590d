"""The one way out of a sandbox: a proxy that hosted servers use without knowing it.

An instance's network namespace has a loopback interface and nothing else. Its proxy makes that enough (`doors.py`):
every IPv4 address is routed to the loopback inside, where sockets of the proxy listen on the allowed ports and answer
name queries. A server that connects to api.example.org:443 in the usual way reaches the proxy with the address it
meant. The proxy judges name, address and TLS greeting, connects to that very address and passes octets on. So clients
need no setting (Node's fetch, aiohttp and gRPC take no proxy from the environment) and nothing of ours lives inside.

One proxy process per runner, so that busy connections don't slow the runner's pipes; `keeper.py` is the runner's side.
Imports nothing of the runner but its control types.
"""
