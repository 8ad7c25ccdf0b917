"""The transparency log, as arithmetic: what it is made of, and what can be proven about it.

Each fact that a host must not be able to take back is a leaf of one Merkle tree (`leaf`, `tree`). The tree is kept and handed out
in tiles (`tiles`), from which everybody makes the proofs they need (`proofs`). A checkpoint names the tree at one size
(`checkpoint`); which witnesses must have cosigned it is the reader's own policy (`policy`). A proof file holds all of that for
one leaf (`proof_file`).

Nothing here reads a file, a socket or a clock, and nothing here signs: notes and their signatures are in `signing/note`.
"""
