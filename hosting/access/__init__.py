"""Who may see, call and manage a deployment: people, members, tokens, callers without an account."""
