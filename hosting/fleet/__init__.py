"""The site's side of its runners: which there are, whether they live, what each holds and may hold."""
