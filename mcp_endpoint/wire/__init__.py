"""HTTP, JSON-RPC and event streams as bytes and typed values. Pure, save for `answer.py`."""
