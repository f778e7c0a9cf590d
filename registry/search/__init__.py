"""One index of all servers: for people at /registry/, for programs at /api/registry/search, and for `search` of /v0.1.

words.py      text → words, and their stems                       pure
facets.py     what can be filtered, as bits of one number         pure
entries.py    a server's documents → its row                      pure
matching.py   what a person typed → tsquery and ranking           pure
indexing.py   keeps the rows true; called by every change
finding.py    answers a search: rows, total, counts by facet
running.py    what was learned by running servers
"""
