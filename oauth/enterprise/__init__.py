"""Enterprise-managed authorization (SEP-990): an organization's identity provider decides, and we take its word."""
