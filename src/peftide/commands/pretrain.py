"""`peftide pretrain`: FASTA files in; a backbone folder out, which `transformers` can open."""

import logging
import time
from typing import Any

from peftide.config import PretrainConfig
from peftide.config.unread import NOTHING, Names
from peftide.files import remove
from peftide.hardware import choose_run_hardware, remember_hardware
from peftide.outputs import read_record
from peftide.pretraining.loop import pretrain_model
from peftide.pretraining.results import record_results, record_start
from peftide.pretraining.saving import save_backbone
from peftide.pretraining.set_up import build_model, plan_pretraining
from peftide.pretraining.setting import backbone_source, build_setting, check_options, input_paths
from peftide.run_folder import open_run

logger = logging.getLogger(__name__)


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
    source = backbone_source(config)
    hardware = choose_run_hardware(config)
    with open_run(config, input_paths(config, files)) as folder, hardware.computing():
        if folder.is_finished():
            logger.info("%s is finished", folder.path)
            return read_record(folder.record)
        remember_hardware(folder, hardware)
        setting = build_setting(config, source, files, folder=folder)
        model = build_model(setting, source).to(hardware.device)
        if config.backbone is not None:
            record_start(setting, model, hardware, folder=folder)
        plan = plan_pretraining(setting, model, hardware, folder=folder, started=started)
        progress = pretrain_model(model, plan)
        save_backbone(model, setting.tokenizer, folder.path, dtype=config.weights_dtype)
        record = record_results(setting, model, hardware, progress=progress, folder=folder)
        if record["status"] == "finished":
            remove(folder.checkpoints)
        return record
