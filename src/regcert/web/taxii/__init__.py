"""TAXII 2.1 over HTTP: one file a resource of the standard, and `media.py` for the media types that all of them share."""
