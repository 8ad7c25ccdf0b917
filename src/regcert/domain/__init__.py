"""Our nouns, as frozen values: team, principal, collection, submission, observable holdings, sightings, incidents.

Nothing here does anything to the outside. A value that exists is a value that is right: whoever makes one has checked it.
"""
