"""Times, sizes and other numbers as text for people."""

BYTES_PER_GB = 1e9
BYTES_PER_MB = 1e6
BYTES_PER_KB = 1e3
SECONDS_BELOW_TENTHS = 10


def duration(seconds: float) -> str:
    """Return a time in hours, minutes and seconds.

    Examples
    --------
    >>> duration(3.74), duration(42.2), duration(234), duration(9000), duration(float("inf"))
    ('3.7 s', '42 s', '3 min 54 s', '2 h 30 min', 'unknown time')
    """
    if seconds == float("inf"):
        return "unknown time"
    if round(seconds, 1) < SECONDS_BELOW_TENTHS:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def byte_size(count: float) -> str:
    """Return bytes in GB, MB, kB or B (powers of ten).

    Examples
    --------
    >>> byte_size(4.91e9), byte_size(613642240), byte_size(52_300), byte_size(812)
    ('4.9 GB', '614 MB', '52 kB', '812 B')
    """
    if count >= BYTES_PER_GB:
        return f"{count / BYTES_PER_GB:.1f} GB"
    if count >= BYTES_PER_MB:
        return f"{count / BYTES_PER_MB:.0f} MB"
    return f"{count / BYTES_PER_KB:.0f} kB" if count >= BYTES_PER_KB else f"{count:.0f} B"


def number(value: float) -> str:
    """Return a number of any size with four significant digits; whole numbers in full.

    Examples
    --------
    >>> number(1234567), number(0.012345), number(12.0), number(-3.25)
    ('1,234,567', '0.01235', '12', '−3.25')
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")
