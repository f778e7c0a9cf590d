"""The pages of hosting, one module for each noun. Each view parses, calls one service or a few selectors, renders."""
