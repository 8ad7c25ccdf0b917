"""The rules, one module a part of the standard; `catalogue.py` beside this room puts them in order."""
