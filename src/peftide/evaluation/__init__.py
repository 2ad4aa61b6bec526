"""Answers and labels in; scores with intervals out, for the model, baselines and other tools."""
