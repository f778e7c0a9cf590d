"""What was called and what it came to: records of calls, counts by the hour, what was reached on the network."""
