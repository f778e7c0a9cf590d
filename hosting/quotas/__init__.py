"""How much of everything an owner may use, and uses."""
