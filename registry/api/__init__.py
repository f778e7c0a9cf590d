"""The registry's API at /v0.1 and /v0: plain ASGI in front of Django, which would cost a read most of its time."""
