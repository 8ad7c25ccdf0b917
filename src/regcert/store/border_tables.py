"""The tables of what crosses borders beyond the incidents themselves: what people decided, whom to tell, what goes out.

`store/tables.py` says what holds for every table.
"""
