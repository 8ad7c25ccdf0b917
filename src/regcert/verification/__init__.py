"""What anybody can find out about a host without trusting it: a witness's work, and a reader's verdicts.

Everything here starts from keys and a policy that were agreed on beforehand, and takes whatever a server says for a claim. It
knows no database: a member team runs it where it likes.
"""
