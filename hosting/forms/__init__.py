"""The forms of hosting: shape only; what is allowed is decided by the services."""
