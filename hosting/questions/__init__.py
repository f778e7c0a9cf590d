"""What hosted servers may ask people, judged by what they ask. Pure: runners import it. One module a kind."""
