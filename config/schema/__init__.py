"""A new database in one go: what all migrations up to a day make of it, as PostgreSQL itself writes it down.

Running them one by one takes some twelve seconds of a processor, nearly all of which Django spends on imagining the
models between two of them. `schema.sql` is their result (`make schema` writes it) and says which ones it holds. Those
that came later run on top of it as always, so it may lag behind and is never wrong.
"""
