"""Options and a corpus → a finished backbone folder."""

import logging
from typing import Any

from peftide.config import PretrainConfig
from peftide.hardware import choose_run_hardware, remember_hardware
from peftide.outputs import read_record
from peftide.pretraining.corpus import CorpusFiles
from peftide.pretraining.loop import pretrain_model
from peftide.pretraining.options import input_paths
from peftide.pretraining.results import record_results, record_start
from peftide.pretraining.saving import save_backbone
from peftide.pretraining.set_up import build_model, plan_pretraining
from peftide.pretraining.setting import backbone_source, build_setting
from peftide.progress import working
from peftide.run_folder import open_run

logger = logging.getLogger(__name__)


def run_pretraining(
    config: PretrainConfig, files: CorpusFiles, *, started: float
) -> dict[str, Any]:
    """Train, measure and save a backbone, or go on with the run in `--out`; return its record.

    Parameters
    ----------
    started
        Time of `time.monotonic()` at which the command began.
    """
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
        with working("saving the backbone"):
            save_backbone(model, setting.tokenizer, folder.path, dtype=config.weights_dtype)
        return record_results(setting, model, hardware, progress=progress, folder=folder)
