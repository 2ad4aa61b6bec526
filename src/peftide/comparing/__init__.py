"""Several trainings on one split → a leaderboard with paired differences, and a choice.

`cells.py` lists the trainings, `budget.py` decides which trainings fit, `answers.py` reads the
answers of finished ones, and `leaderboard.py` ranks them. `commands/compare.py` runs them.
"""
