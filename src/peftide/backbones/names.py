"""Names of backbones, and whether a name can be one. No torch."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from peftide.errors import BackboneError, did_you_mean

RANDOM_PREFIX = "random:"
BUNDLED = ("mini",)
"""Backbones whose weights lie in this package, each in a folder of its name beside this file."""
UNIREP_SIZES = {"unirep": (1, 1900), "unirep_256": (4, 256), "unirep_64": (4, 64)}
"""Name → number of cells, and width of each."""
UNIREP_SUFFIX = ".npz"


def shape(function: str, *sizes: int, **changes: Any) -> Callable[[], Any]:
    """Return a function that makes a configuration; it loads the family when it is called.

    Parameters
    ----------
    function
        Module and function in this folder, such as `esm.esm_config`.
    *sizes, **changes
        Its arguments.
    """
    module, _, name = function.partition(".")
    home = f"{__package__}.{module}"
    return lambda: getattr(import_module(home), name)(*sizes, **changes)


# Shapes: Lin et al. 2023, doi 10.1126/science.ade2574 (ESM-2); Rives et al. 2021, doi
# 10.1073/pnas.2016239118 (ESM-1b); Elnaggar et al. 2022, doi 10.1109/TPAMI.2021.3095381 (ProtBERT,
# ProtElectra, ProtT5-XL); Elnaggar et al. 2023, doi 10.48550/arXiv.2301.06568 (Ankh).
ALIASES: Mapping[str, tuple[str | None, Callable[[], Any]]] = {
    "esm2_t6_8M": ("facebook/esm2_t6_8M_UR50D", shape("esm.esm_config", 6, 320, 20)),
    "esm2_t12_35M": ("facebook/esm2_t12_35M_UR50D", shape("esm.esm_config", 12, 480, 20)),
    "esm2_t30_150M": ("facebook/esm2_t30_150M_UR50D", shape("esm.esm_config", 30, 640, 20)),
    "esm2_t33_650M": ("facebook/esm2_t33_650M_UR50D", shape("esm.esm_config", 33, 1280, 20)),
    "esm2_t36_3B": ("facebook/esm2_t36_3B_UR50D", shape("esm.esm_config", 36, 2560, 40)),
    "esm2_t48_15B": ("facebook/esm2_t48_15B_UR50D", shape("esm.esm_config", 48, 5120, 40)),
    "esm1b_t33_650M": ("facebook/esm1b_t33_650M_UR50S", shape("esm.esm1b_config")),
    # `mini`, untrained; the wide initialisation lets even a frozen one see residue order
    "esm2_mini": (None, shape("esm.esm_config", 3, 320, 5, initializer_range=0.1)),
    "esm2_tiny": (None, shape("esm.esm_config", 2, 32, 4)),
    "prot_bert": ("Rostlab/prot_bert", shape("bert.prot_bert_config")),
    "prot_electra": (
        "Rostlab/prot_electra_discriminator_bfd",
        shape("electra.prot_electra_config"),
    ),
    "prot_t5": (
        "Rostlab/prot_t5_xl_half_uniref50-enc",
        shape("t5.t5_config", 24, 1024, 32, d_kv=128, d_ff=16384),
    ),
    "ankh_base": ("ElnaggarLab/ankh-base", shape("t5.ankh_config", 48, 768, 12, d_ff=3072)),
    "ankh_large": ("ElnaggarLab/ankh-large", shape("t5.ankh_config", 48, 1536, 16, d_ff=3840)),
}
"""Short name → hub id (None: only as `random:<alias>`) and configuration."""
LICENCES: Mapping[str, str] = {
    "mini": "Apache-2.0",
    "facebook/esm": "MIT",
    "ElnaggarLab/ankh": "CC BY-NC-SA 4.0",
}
"""Start of a hub id, or a bundled backbone → licence of the weights, as the publisher states it."""


def check_backbone(name: str | None) -> None:
    """Raise if no backbone can have this name; None is the default of a command.

    Whether it can be loaded is not checked.

    Raises
    ------
    BackboneError
        If it is no bundled backbone, folder, hub id, alias or `random:<alias>`.
    """
    if name is None:
        return
    alias = name.removeprefix(RANDOM_PREFIX)
    if alias != name:
        known = [*ALIASES, *UNIREP_SIZES]
        if alias not in known:
            raise BackboneError(
                f"unknown alias {alias!r}", where="--backbone", fix=did_you_mean(alias, known)
            )
        return
    is_there = name in BUNDLED or is_unirep(name) or (name and Path(name).is_dir())
    if not is_there and hub_id_of(name) is None:
        raise BackboneError(
            f"no folder, alias or hub id {name!r}",
            where="--backbone",
            fix=did_you_mean(name, _stored_or_random(name)),
        )


def licence_of(name: str) -> str | None:
    """Return the licence of the weights of a backbone, if peftide knows it.

    Examples
    --------
    >>> licence_of("mini"), licence_of("esm2_t6_8M"), licence_of("random:esm2_t6_8M")
    ('Apache-2.0', 'MIT', None)
    """
    known = name if name in BUNDLED else hub_id_of(name) or ""
    return next((LICENCES[start] for start in LICENCES if known.startswith(start)), None)


def _stored_or_random(name: str) -> list[str]:
    """Return the names of trained backbones, and the random one if a name fits it exactly."""
    random = RANDOM_PREFIX + name
    return [one for one in known_names() if not one.startswith(RANDOM_PREFIX) or one == random]


def is_unirep(name: str) -> bool:
    """Return whether the name of a backbone means UniRep: a size, or a file of weights.

    Examples
    --------
    >>> is_unirep("unirep_64"), is_unirep("mine/model_weights.npz"), is_unirep("mini")
    (True, True, False)
    """
    return name in UNIREP_SIZES or name.endswith(UNIREP_SUFFIX)


def hub_id_of(name: str) -> str | None:
    """Return the hub id of an alias, or the name itself if it has the form of a hub id.

    Examples
    --------
    >>> hub_id_of("esm2_t6_8M"), hub_id_of("Rostlab/prot_bert"), hub_id_of("./prot_bert")
    ('facebook/esm2_t6_8M_UR50D', 'Rostlab/prot_bert', None)
    """
    if name in ALIASES:
        return ALIASES[name][0]
    return name if name.count("/") == 1 and not name.startswith((".", "/")) else None


def known_names() -> list[str]:
    """Return all names of backbones that are no folder and no hub id."""
    stored = [alias for alias, (hub_id, _) in ALIASES.items() if hub_id is not None]
    return [*BUNDLED, *UNIREP_SIZES, *stored, *(RANDOM_PREFIX + alias for alias in ALIASES)]
