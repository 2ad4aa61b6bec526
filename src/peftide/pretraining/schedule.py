"""Learning rate by step: warm-up, a plateau that may be extended, and a linear descent."""


def rate_factor(step: int, *, steps: int, warmup_steps: int, decay_fraction: float) -> float:
    """Return the share of the peak learning rate at a step (0-based).

    Parameters
    ----------
    steps
        All steps of the training.
    warmup_steps
        Steps with rising rate.
    decay_fraction
        Share of all steps, at the end, in which the rate falls to zero.

    References
    ----------
    Hu et al. 2024, arXiv 2404.06395 (warm-up, stable, decay).

    Examples
    --------
    >>> [rate_factor(s, steps=10, warmup_steps=2, decay_fraction=0.4) for s in (0, 1, 5, 8, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.25]
    """
    rising = (step + 1) / max(1, warmup_steps)
    falling = (steps - step) / max(1.0, decay_fraction * steps)
    return max(0.0, min(1.0, rising, falling))
