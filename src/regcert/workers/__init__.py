"""Loops that call flows, and hold no rule themselves.

A worker sleeps until something wakes it, or until a while has passed: a wake-up that was lost costs a moment, not data. What it
fails at is logged and tried again; it never ends before the service does.
"""
