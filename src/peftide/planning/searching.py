"""A training → the time of its searches for similar proteins, measured with a few proteins.

A search takes minutes for thousands of proteins, however few rows are scored.
"""

from collections.abc import Sequence

import numpy as np

from peftide.auditing import Subject
from peftide.baselines import Homologues, find_homologues
from peftide.evaluation.beside import NONE, chosen, suitable
from peftide.evaluation.homology import Searches
from peftide.planning.sampling import evenly_spaced, extrapolated
from peftide.similarity import SimilaritySettings, best_hits
from peftide.similarity.hits import no_hits
from peftide.similarity.searching import MOST_PAIRS
from peftide.training.setting import Setting
from peftide.training.usage import Seconds, clocked

QUERIES = (8, 96)
"""Numbers of proteins in the measured searches; the time is extrapolated to all residues."""


def _no_homologues(queries: Sequence[str], _: Sequence[str]) -> Homologues:
    none, starts = np.empty(0), np.zeros(len(queries) + 1, dtype=np.int64)
    return Homologues(starts, np.empty(0, dtype=np.int64), none, none, none)


FINDING_NOTHING = Searches(_no_homologues, lambda *_: no_hits(""))
"""For a rehearsal, whose searches are measured apart."""


def search_seconds(setting: Setting) -> Seconds:
    """Return the time of all searches of a training."""
    config, task, dataset = setting.config, setting.problem.task, setting.problem.dataset
    if NONE in config.baselines:
        return Seconds()
    subject = Subject(dataset, task.level == "pair", trained=True)
    train = subject.proteins("train")
    later = np.unique(np.concatenate([subject.proteins(part) for part in subject.later]))
    targets = [subject.sequences[number] for number in train]
    device, total = setting.hardware.device, Seconds()

    def search(queries: Sequence[str]) -> object:
        return find_homologues(queries, targets, threads=config.threads)

    new = [subject.sequences[number] for number in np.setdiff1d(later, train)]
    # the whole search decides how many targets each protein is aligned with
    suited = SimilaritySettings(threads=config.threads).suited(new, targets, most_pairs=MOST_PAIRS)

    def audit(queries: Sequence[str]) -> object:
        return best_hits(queries, targets, suited)

    works = []
    if "nearest_homologue" in chosen(config.baselines, suitable(task)):
        works.append((search, [subject.sequences[number] for number in later]))
    if subject.variants is None:
        works.append((audit, new))
    for work, sequences in works:
        ordered = sorted(sequences, key=len)
        measured = []
        for few in sorted({min(size, len(ordered)) for size in QUERIES} - {0}):
            queries = evenly_spaced(ordered, few)
            _, seconds = clocked(lambda work=work, queries=queries: work(queries), device)
            measured.append((sum(map(len, queries)), seconds))
        total += extrapolated(measured, sum(map(len, ordered)))
    return total
