"""What a training will cost on this machine, from a short measurement before it runs."""
