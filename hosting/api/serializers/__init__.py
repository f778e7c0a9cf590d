"""What the API reads and writes, one module for each noun."""
