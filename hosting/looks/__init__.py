"""The first look at a built server, and what its last words mean where there is nothing to see."""
