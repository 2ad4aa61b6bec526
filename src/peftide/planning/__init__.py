"""The cost of a training on this machine, forecast from a few measured steps."""
