"""What a call leaves behind: records for owners, metrics for operators."""
