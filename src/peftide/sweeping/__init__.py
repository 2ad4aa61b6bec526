"""A space of training options → trials, chosen and stored by optuna, and a summary.

`space.py` reads the space, `study.py` opens the database, `summary.py` turns the trials into a
table with importances. `commands/sweep.py` runs the trials.
"""
