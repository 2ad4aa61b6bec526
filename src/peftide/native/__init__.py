"""Compiled kernels: C source in this package → a library built once per machine, if it can be."""
