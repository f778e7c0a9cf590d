"""The platform API by noun. Each view parses, calls one service or a few selectors, and writes."""
