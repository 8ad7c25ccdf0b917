"""OpenTAXII beside us in the same run; never a dependency of the project.

opentaxii-*.txt   what stands in an environment of its own, by exact version
environment.py    that environment, in the user's cache folder
launcher.py       runs inside it: the application, and its first API root, collection and account
server.py         gunicorn, on either database
rows.py           its table filled directly, because filling it by posts would take most of the run
"""
