"""The commands: parse what was typed, call one flow or one host, print what came of it.

Whoever types `regcert --help` waits for nothing but the words: databases, HTTP clients and STIX are imported by the command that
needs them, inside it. What a script reads goes to standard output, what a person reads beside it to standard error. Whatever
goes wrong is one line with a code; `app.py` holds the table from codes to exit codes, docs/cli.md explains it.
"""
