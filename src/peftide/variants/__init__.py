"""Variants of one protein: kernels between substitutions, and ridge regression with them."""
