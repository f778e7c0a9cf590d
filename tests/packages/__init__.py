"""Tiny packages made on the spot, and a local index that serves them to uv and npm."""
