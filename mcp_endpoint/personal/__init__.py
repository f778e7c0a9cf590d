"""Calls of servers to which each user brings credentials: what they lack is asked for on a page of the site."""
