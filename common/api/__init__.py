"""What all parts of the platform API share: problems, bodies, pages of lists, the rate, how operations look."""
