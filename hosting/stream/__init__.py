"""The connection between a process of the site and a runner, and what is asked through it."""
