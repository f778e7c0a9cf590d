"""Toward clients of the handshake revisions, 2024-11-05 to 2025-11-25: sessions and resumable streams."""
