"""TAXII 2.1 resources as values: what the standard's words mean, without a socket in sight.

Filters of a query, the cursor behind `next`, envelopes joined from stored bytes, status, manifest, discovery, errors. Nothing
here reads a database or a request; `flows/retrieve.py` and `web/taxii/` bring the two ends together.
"""
