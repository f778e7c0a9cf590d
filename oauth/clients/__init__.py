"""Clients: what they say of themselves, how they are registered, and how they prove who they are."""
