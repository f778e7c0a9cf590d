"""What waits for one person: pages that ask for credentials, and tasks that need an answer. One list, one number."""
