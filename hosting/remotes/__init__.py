"""Servers that run elsewhere: the owner's account there, and what keeps it good."""
