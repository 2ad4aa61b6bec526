"""Answers and labels in; scores with intervals, beside baselines and other tools, out."""
