"""From a server.json to what a person runs: commands, files and links for each client. Pure.

settings.py   what has to be filled in, and texts with gaps for it
ways.py       each package and remote as a way to run the server, with everything that speaks against it
shell.py      commands of clients, quoted
files.py      configuration files
links.py      one-click links; a secret is never in one
"""
