"""Entries of other registries: read from files and addresses, kept beside what was published here.

sources.py     where entries come from: files of any usual form, pages of another registry
records.py     one entry, read leniently: what is kept and what is wrong with it (pure)
storing.py     a batch of them into the database, never over what this site decided itself
following.py   a registry that is followed: how far it was read, and on from there
"""
