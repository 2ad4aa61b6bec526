"""`peftide merge`: a run in; its adapted backbone as plain `transformers` opens it, out."""

from pathlib import Path
from typing import TYPE_CHECKING

from peftide.backbones.names import check_backbone
from peftide.bundle_record import model_folder, read_bundle_record
from peftide.config import ExportConfig, MergeConfig, RunOptions, as_mapping
from peftide.config.unread import NOTHING, Names
from peftide.environment import environment
from peftide.errors import InputError
from peftide.files import write_json, write_text
from peftide.outputs import WRITTEN_BY, making_folder
from peftide.run_folder import RunFolder

if TYPE_CHECKING:
    from peftide.bundle import Bundle
    from peftide.hardware import Hardware

MERGE = "merge"


def merge(config: MergeConfig, *, given: Names = NOTHING) -> Path:
    """Write configuration, weights and tokenizer of the adapted backbone, and a README.

    Returns
    -------
    The folder.

    Parameters
    ----------
    given
        Options that the user named; every one is read.

    Raises
    ------
    InputError
        If the run's backbone is no model of `transformers`, or is held in fewer bits.
    """
    del given
    check_run(config)
    with making_folder(config.out, command=MERGE, overwrite=config.overwrite) as work:
        # torch and all that stands on it: a refusal above should not wait for them
        from peftide.exporting.checkpoint import write_checkpoint
        from peftide.exporting.pages import checkpoint_page

        folder = RunFolder(work.new)
        with on_cpu(config).computing():
            bundle = open_run(config)
            write_checkpoint(bundle.model.backbone, folder.path)
        write_text(folder.path / "README.md", checkpoint_page(bundle))
        write_record(config, folder, command=MERGE)
        work.put(WRITTEN_BY[MERGE])
    return config.out


def check_run(config: MergeConfig | ExportConfig) -> None:
    """Raise if the run cannot be written in other forms, before anything is loaded.

    Raises
    ------
    InputError
        If there is no run, or its backbone is held in 4 or 8 bits.
    """
    check_backbone(config.backbone)
    bits = read_bundle_record(model_folder(config.run)).recipe.base_bits
    if bits is not None:
        raise InputError(
            f"the adapter of {config.run} was trained on a backbone in {bits} bits, into which it "
            "cannot be merged without a loss",
            expected="a run without --base-bits",
            fix="`peftide predict` uses this run as it is",
        )


def on_cpu(config: MergeConfig | ExportConfig) -> "Hardware":
    """Return the hardware on which a model is written: the CPU, in fp32."""
    from peftide.hardware import choose_hardware

    return choose_hardware(RunOptions(device="cpu", precision="fp32", threads=config.threads))


def open_run(config: MergeConfig | ExportConfig) -> "Bundle":
    """Return the model of a run, in fp32 on the CPU."""
    from peftide.bundle import load_bundle

    return load_bundle(config.run, allow_bin=config.allow_bin, backbone=config.backbone)


def write_record(config: MergeConfig | ExportConfig, folder: RunFolder, *, command: str) -> None:
    """Write the record by which a later call knows its output."""
    record = environment(0, command=command) | {"status": "finished", "model": str(config.run)}
    write_json(folder.record, record | {"options": as_mapping(config)})
