"""Training: problem, setting, batches, loop and resume points."""
