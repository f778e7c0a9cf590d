"""This site as an OAuth client of servers elsewhere.

`challenges`, `discovery`, `requests`, `times`: pure. `identity`: who we are there. `flow` speaks with them.
`connections` and `using` keep what came of it (`rows`), `ending` and `revoking` end it.
"""
