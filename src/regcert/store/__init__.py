"""All SQL, and nothing else: the rows of this host, on SQLite or on PostgreSQL.

Two promises are kept here. *Order is commit order* (law 2): every object, sighting and tombstone gets its position under
the host's order lock, in the transaction that makes it visible, so a poller's cursor never steps over a slow writer. And
*what may be seen goes through one door* (law 5): every read on somebody's behalf starts from `visibility.visible`.

Functions take the transaction or the connection first. They decide no question of policy; they are handed values that
somebody has decided on, of which `Admitted` is the only one that may become objects.
"""
