"""Who is asking: from a header to a token, from a token to what is stored of it.

A token is 256 random bits, shown once; only its SHA-256 is kept. TAXII's two ways of saying it are read here: Basic, where
it stands as the password, and Bearer. Who a token speaks for is in the store; this room knows no team.
"""
