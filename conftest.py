"""Tests check the shapes and types of every module that names shapes, when it is imported.

Other modules have no array annotations beyond what the type checker proves; to check them here too
would take a third of the time of all tests.
"""

from pathlib import Path

from jaxtyping import install_import_hook

SOURCE = Path(__file__).parent / "src"
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"


def with_shapes() -> list[str]:
    """Return the names of the modules that import jaxtyping."""
    paths = [path for path in SOURCE.rglob("*.py") if "from jaxtyping" in path.read_text("utf-8")]
    return [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in paths]


install_import_hook(with_shapes(), CHECKER)
