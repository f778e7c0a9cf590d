"""Pages of the registry: browse, one server, publish, moderation."""
