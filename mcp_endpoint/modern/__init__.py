"""Toward clients of the stateless revisions, from 2026-07-28 on."""
