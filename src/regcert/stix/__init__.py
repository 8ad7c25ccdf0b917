"""STIX 2.1 as it arrives: the only room that looks at bytes nobody vouches for.

What comes in is bytes; what leaves is one object at a time, bounded, read, judged by its schema, with the observables it
names in canonical form. Nothing here is rewritten: the bytes that came are the bytes that are kept (law 1). It never does
I/O, never asks the time, and refuses with a sentence instead of guessing.
"""
