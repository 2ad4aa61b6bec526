"""The deletion tests of several proteins → whether their contributions pass it, in words."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from peftide.explaining.deletion import ORDERS, Deletion
from peftide.explaining.subjects import Subject
from peftide.metrics import Units, intervals, resample
from peftide.metrics.intervals import no_interval_reason
from peftide.quantities import count_of

LEAD = "deletion_lead"


@dataclass(frozen=True)
class Faithfulness:
    """Whether hiding the most attributed residues changes the score faster than random ones.

    Attributes
    ----------
    area, random_area
        Mean fall of the score, in the attributed order and in random orders.
    low, high
        95 % interval of the lead, the difference of both; None with too few proteins.
    ahead, count
        Number of proteins whose area is larger than in every random order, and of all proteins.
    """

    area: float
    random_area: float
    low: float | None
    high: float | None
    ahead: int
    count: int

    @property
    def lead(self) -> float:
        """Area less random area."""
        return self.area - self.random_area

    @property
    def is_faithful(self) -> bool:
        """Whether the interval is above 0; without one, whether every protein is ahead."""
        return self.low > 0 if self.low is not None else self.ahead == self.count

    @property
    def verdict(self) -> str:
        """The result in one or two sentences.

        Examples
        --------
        >>> Faithfulness(2.0, 0.5, 1.0, 2.0, ahead=11, count=12).verdict[:30]
        'The contributions pass the del'
        >>> Faithfulness(0.2, 0.5, None, None, ahead=0, count=1).verdict[:30]
        'The contributions fail the del'
        """
        word = "pass" if self.is_faithful else "fail"
        largest = max(abs(self.area), abs(self.random_area))
        said = (
            f"The contributions {word} the deletion test: hiding the residues with the largest "
            f"contributions {_fall(self.area, largest)} on average, hiding random residues "
            f"{_fall(self.random_area, largest)}"
        )
        if self.low is None or self.high is None:
            return f"{said}. {self._of_few}"
        return (
            f"{said} (difference {self.lead:.3g}, 95 % interval {self.low:.3g} to {self.high:.3g})."
        )

    @property
    def _of_few(self) -> str:
        """How many proteins are ahead, if they are too few for an interval."""
        if self.count == 1:
            falls = "falls" if self.ahead else "does not fall"
            return f"The score {falls} faster than in all of {ORDERS} random orders."
        of = f"{self.ahead} of {count_of(self.count, 'protein')}"
        rule = "" if self.is_faithful else "; with so few proteins, it must for every one"
        return f"The score falls faster than in all of {ORDERS} random orders for {of}{rule}."

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values for a record."""
        found = {"lead": self.lead, "is_faithful": self.is_faithful, "verdict": self.verdict}
        return asdict(self) | found


def _fall(area: float, largest: float) -> str:
    """Return a fall of the score in words, with the decimals that the largest fall needs.

    Examples
    --------
    >>> _fall(0.5, 0.5), _fall(-2.0, 2.0), _fall(-0.000813, 0.397)
    ('lowers the score by 0.5', 'raises the score by 2', 'raises the score by 0.001')
    """
    decimals = 2 - math.floor(math.log10(largest)) if largest > 0 else 0
    size = round(abs(area), decimals)
    return f"{'lowers' if area >= 0 else 'raises'} the score by {size:.10g}"


def faithfulness(subjects: Sequence[Subject], deletions: Sequence[Deletion]) -> Faithfulness:
    """Return whether the attribution of some proteins is faithful.

    The interval resamples proteins, and needs at least ten.
    """
    places = {
        text: place
        for place, text in enumerate(
            dict.fromkeys(text for one in subjects for text in (one.sequence, *one.others))
        )
    }
    members = [[places[text] for text in (one.sequence, *one.others)] for one in subjects]
    units = Units(np.array(members), "protein")
    leads = np.array([one.lead for one in deletions])
    low = high = None
    if no_interval_reason(units) is None:
        found = resample(
            {LEAD: lambda weights: {(LEAD,): weights @ leads / weights.sum(axis=1)}}, units
        )
        interval = intervals(found[LEAD], units)[(LEAD,)]
        low, high = interval.low, interval.high
    return Faithfulness(
        area=float(np.mean([one.area for one in deletions])),
        random_area=float(np.mean([one.random_areas.mean() for one in deletions])),
        low=low,
        high=high,
        ahead=sum(one.is_ahead for one in deletions),
        count=len(deletions),
    )
