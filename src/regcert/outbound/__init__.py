"""What we ask of other hosts: publishing and pulling over TAXII, sightings and incidents over the API.

The other side is as hostile as any client: its answers are bounded before they are read, its words are cut and stripped of
control characters before a person sees them, its redirects are not followed and its addresses stay on the host that was named,
because a token goes along with every request.
"""
