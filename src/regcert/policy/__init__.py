"""Who may do what: one table of roles and permissions, and the rules on what may stand in a collection.

Visibility is not here: it belongs to the collection, and goes through `store/visibility.py` on every path. What is here
decides whether a role may try something at all, and whether an object may be admitted. Anything that is not granted is
denied.
"""
