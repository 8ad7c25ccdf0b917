"""Whether a server speaks TAXII 2.1: a black-box suite that knows of it only what an address and a token show.

`checks/` holds one module a part of the standard, and in it one function a rule: its docstring is the rule, in our own words,
and its name, behind the number of the section, is what the rule is called for good. A check asks the server through `peer.py`,
which speaks through a `Wire`: here nobody opens a socket. It says what it saw by returning (kept), or by raising `Broken`,
`Skipped` or `NotOffered`.

Four words say how much a rule weighs: MUST, SHOULD and MAY as the standard uses them, and CLIENT for what it leaves open but a
program that people run relies on. Where a rule is our reading of a passage, it weighs one step less than the passage.

Nothing of RegCERT's own server is used here: the judge must be able to find the fault that we have made ourselves.
"""
