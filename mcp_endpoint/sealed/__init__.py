"""What a client carries for us, sealed: sessions and request state."""
