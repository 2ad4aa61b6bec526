"""`peftide pretrain`: FASTA files in; a backbone folder out, which `transformers` can open."""

import time
from typing import Any

from peftide.config import PretrainConfig
from peftide.config.unread import NOTHING, Names
from peftide.pretraining.options import check_options, input_paths
from peftide.run_folder import check_run


def pretrain(config: PretrainConfig, *, given: Names = NOTHING) -> dict[str, Any]:
    """Train a masked language model and write it as a backbone.

    On a CPU the command line is faster than this function: it also makes the process keep the
    memory that each step frees. A library call leaves that setting alone (`peftide.process`).

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Returns
    -------
    The run record: corpus, tokens seen, cost, and held-out perplexity of the model and of the
    counting baseline.

    Raises
    ------
    InputError
        If options, files or backbone do not fit together.
    TrainingError
        If the loss is not a finite number.
    StorageError
        If a file cannot be written; the run can be resumed.
    """
    started = time.monotonic()
    files = check_options(config, given=given)
    check_run(config, input_paths(config, files))
    # torch and all that stands on it: a refusal above should not wait for them
    from peftide.pretraining.running import run_pretraining

    return run_pretraining(config, files, started=started)
