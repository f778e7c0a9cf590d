"""What an instance is started with: settings, secrets, limits, the hosts that it may reach."""
