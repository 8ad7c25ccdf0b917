"""Who vouches for what: the host's own key, and whether a publication is signed or attested.

In this release no team signs: an envelope that comes over a team's authenticated channel is *attested* by this host, and a
collection that requires signatures takes nothing. Private keys of teams never come here.
"""
