"""`peftide export`: a run in; its model as ONNX graphs out, without need of PyTorch or peftide."""

from pathlib import Path

from peftide.commands.merge import check_run, on_cpu, open_run, write_record
from peftide.config import ExportConfig
from peftide.config.unread import NOTHING, Names
from peftide.files import remove, write_json, write_text
from peftide.on_demand import require_library
from peftide.outputs import WRITTEN_BY, making_folder
from peftide.run_folder import RunFolder

EXPORT = "export"
CHECKPOINT = "checkpoint"


def export(config: ExportConfig, *, given: Names = NOTHING) -> Path:
    """Write `encoder.onnx`, `head.onnx`, `model.json` and a README with code that runs.

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
        If ONNX cannot hold the model, or the libraries of the extra `onnx` are not installed.
    """
    del given
    for library in ("onnx", "onnxscript"):
        require_library(library, extra="onnx")
    check_run(config)
    with making_folder(config.out, command=EXPORT, overwrite=config.overwrite) as work:
        # torch and all that stands on it: a refusal above should not wait for them
        from peftide.exporting.checkpoint import write_checkpoint
        from peftide.exporting.onnx import check_exportable, write_onnx
        from peftide.exporting.pages import MODEL, model_record, onnx_page

        folder = RunFolder(work.new)
        checkpoint = folder.path / CHECKPOINT
        with on_cpu(config).computing():
            bundle = open_run(config)
            check_exportable(bundle)
            write_checkpoint(bundle.model.backbone, checkpoint)
            write_onnx(bundle, checkpoint, folder.path)
        remove(checkpoint)
        write_json(folder.path / MODEL, model_record(bundle))
        write_text(folder.path / "README.md", onnx_page(bundle))
        write_record(config, folder, command=EXPORT)
        work.put(WRITTEN_BY[EXPORT])
    return config.out
