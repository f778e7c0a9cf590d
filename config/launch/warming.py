"""What a web process makes before its first visitor asks for it: the site's addresses and the reference of its API,
which is long (a third of a second of a processor), the same for everybody, and otherwise waited for by somebody."""

from __future__ import annotations

from threading import Thread


def warm_up() -> Thread:
    """Beside what is answered meanwhile. The thread ends with the process, and needs no database."""
    thread = Thread(target=_make, name="warm-up", daemon=True)
    thread.start()
    return thread


def _make() -> None:
    from hosting.api.views import documents  # with what it imports, in this thread, too

    documents.warm_up()
