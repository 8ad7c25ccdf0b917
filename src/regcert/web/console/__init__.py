"""The coordinator's console: what crosses borders now, as pages a browser needs nothing else for.

Views come in, whole documents go out. Words and sentences live in the templates, numbers and dates in `wording`, drawings
in `charts`; `static` holds one style sheet, one small script and one mark. The script adds keys and fresh times; without
it everything still works.
"""
