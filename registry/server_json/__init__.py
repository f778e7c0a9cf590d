"""server.json in all its dated versions: how it binds, what its rules are, and how to read one that breaks them. Pure.

binding.py     may it enter at all: members, types, lengths            → Breach
rules.py …     what the schema can't say                               → Issue
schemas.py     the JSON Schema of a document's own version             → Issue
validation.py  all of it: strict for publishing, lenient for importing
reading.py     a document as values, whatever is wrong with it
"""
