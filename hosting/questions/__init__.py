"""What hosted servers may ask people, judged by what they ask. One module a kind; all but `rules` and
`policies`, which keep what organizations decide, are pure, since runners import them."""
