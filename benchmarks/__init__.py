"""What this host can take and give, measured from outside against a real server; `README.md` says how to read it.

__main__.py   the program: which loads, in which order
corpus.py     the objects, the same in every run
hosting.py    the server that is measured, as a process of its own
client.py     the other end of the socket, which must not be what is measured
loads.py      one function a load
machine.py    what else is going on here
report.py     the table
"""
