"""What authorization costs: one check at the endpoint, one connection of a program."""
