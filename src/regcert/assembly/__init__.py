"""The one place that builds the parts of a host and hands them to each other.

`host.py` is the process that answers, `intake.py` the one that takes publications; both are made of `parts.py`. The intake has no
use for a web server, and does not load one. Whoever wants to know what a running RegCERT consists of reads `open_host`.
"""
