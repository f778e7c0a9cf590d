"""What each user brings to a server: which settings those are, the page that asks for them, and the try with them."""
