"""The MCP endpoint: HTTP in, exchanges out. Plain ASGI; `app.py` is the entry, `lookup.py` alone knows the ORM."""
