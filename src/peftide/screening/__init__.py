"""Vectors of proteins → the best of all their pairs, block by block in flat memory.

`pair_head.py` scores one protein with many, `known.py` holds pairs that are known, `best.py` keeps
the best pairs, `progress.py` saves them, and `screen.py` goes through the blocks.
"""
