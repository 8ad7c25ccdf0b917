"""What this host can take and give, measured from outside against a real server; `README.md` says how to read it.

__main__.py   the program: its options, its servers
course.py     which loads, in which order
questions.py  what pollers ask
loads.py      the loads, played against one server
scripts.py    what one client says
players.py    the processes that play the clients
wire.py       one connection, and how requests are written
corpus.py     the objects, the same in every run
target.py     a server that is measured: ours.py, and peer/ beside it
machine.py    what a server takes of this machine
limits.py     what this machine could do; hello.py answers with nothing behind it
scale.py      how much of everything
marks.py      what each work ought to reach
report.py     the table
"""
