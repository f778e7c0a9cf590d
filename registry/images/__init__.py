"""Pictures of READMEs and icons of servers: fetched through the guarded door, made anew, and served by this site.

So that nobody's browser tells a stranger's host who reads what, and no stranger's octets reach it. No page and no
request for a picture waits for a stranger's host: a job fetches what is missing, and pages do without it until then.

addresses.py   which pictures a README or a document refers to     pure
encoding.py    a stranger's octets → a picture made by us          pure
keeping.py     fetches one, and keeps it for a while
showing.py     what pages may show, and has fetched what they lack
"""
