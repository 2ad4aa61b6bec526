"""The cost of a training on this machine, from a few of its steps before it runs."""
