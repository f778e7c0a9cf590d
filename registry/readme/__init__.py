"""READMEs of servers: fetched from where their packages and repositories are, shown as sanitised HTML.

sources.py     where a document's README may lie      pure
rendering.py   a stranger's text → safe HTML          pure
fetching.py    fetches and keeps them, one server at a time
asking.py      because somebody looks at a page
"""
