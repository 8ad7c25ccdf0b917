"""The Merkle tree by which a host commits to what it was given.

Today one tree a submission: its hash stands in the audit trail, so that what was accepted can be named by 32 bytes. The log
of all submissions, with checkpoints and witnesses, will be built of the same hashes.
"""
