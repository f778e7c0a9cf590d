"""What keeps a registry honest: names that look like others', reports, and taking down."""
