"""Correlation: from what each team holds to what crosses borders.

A value has a list of holdings, one for each team and origin; nothing here ever compares holdings in pairs. The room
is walked in steps. `guards` knows the values that everybody meets and that therefore say nothing (`guard_lists`
reads the lists). `group` judges one value: held in two countries, by independent origins, no month apart, and not
called harmless. `stories` tells which values belong together, and which several stories share; `cluster` keeps the ids of
incidents steady while they grow, merge and split. `assess` turns a cluster into an incident with a
strength whose every point is explained.

The room is pure: times are event times in microseconds and arrive as arguments, ids come from the caller, and the same
holdings in any order give the same answer. It sees only what it is handed: that the holdings all belong to one audience
is for policy and the store to ensure (law 5); that the result carries the strictest marking of what it was made of is
ensured here (law 6). One team has one vote, whatever it repeats (law 7). The model and the reason of every constant
are told in docs/correlation.md.
"""
