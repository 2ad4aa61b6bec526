"""Vectors of proteins → the best of all their pairs, block by block in flat memory.

`pair_head.py` scores some proteins with many, `known.py` holds pairs that are known, `best.py`
keeps the best pairs, `progress.py` saves them, and `screen.py` goes through the blocks. For a short
list, `imitation.py` makes a fast scorer, and `shortlist.py` scores its best pairs again.
"""
