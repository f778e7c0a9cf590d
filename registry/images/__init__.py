"""Pictures of READMEs and icons of servers: fetched through the guarded door, made anew, and served by this site.

So that nobody's browser tells a stranger's host who reads what, and no stranger's octets reach it.

addresses.py   which pictures a README or a document refers to     pure
encoding.py    a stranger's octets → a picture made by us          pure
keeping.py     fetches one when somebody first asks for it, and keeps it for a while
"""
