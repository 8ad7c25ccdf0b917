"""Everything that knows HTTP: handlers that parse, call one flow and render.

`middleware.py` gives every request an id, turns refusals into answers by the one table in `problems.py`, and writes one line a
request to the log. Below: `taxii/` one file a resource of the standard, `api/` our own JSON, `console/` for people. No rule about
the domain lives here.
"""
