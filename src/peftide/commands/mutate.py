"""`peftide mutate`: the model of a protein's variants in; scores of substitutions out."""

import pandas as pd

from peftide.backbones.names import check_backbone
from peftide.bundle_record import read_answering
from peftide.config import MutateConfig, as_mapping
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Choice, Names, changed_options, unread_problems
from peftide.environment import environment
from peftide.errors import InputError, raise_problems
from peftide.evaluation.tables import write_table
from peftide.files import write_json, write_text
from peftide.outputs import WRITTEN_BY, making_folder
from peftide.quantities import number
from peftide.report.heat_map import Bands, as_file, heat_map
from peftide.run_folder import RunFolder
from peftide.sequences.site_lists import read_sites

MUTATE = "mutate"
SCORES, ORDER, PICTURE = "variants.tsv", "order.tsv", "heat_map.svg"
PICTURED = {"prediction": "value", "probability": "probability of yes"}
"""Column of the scores → their name in the picture."""
OF_EACH = "of each substitution; white: their median; the wild type has"


def mutate(config: MutateConfig, *, given: Names = NOTHING) -> pd.DataFrame:
    """Score substitutions of the wild type; write the table, a heat map and the best new mutants.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Returns
    -------
    One row per mutant, the best first: `mutant`, `prediction` (or `probability`), the interval
    (`low`, `high`) if validation gives one, the `change` from the wild type, `site`, and whether
    it was `measured`.

    Raises
    ------
    InputError
        If the run has no model of variants, a site is outside the protein, or the output exists.
    """
    recipe, answering = read_answering(config.run)
    if recipe.wild_type is None:
        raise InputError(
            f"the model of {config.run} answers the task {recipe.task}",
            expected="a run of `peftide train --task variants`",
        )
    if answering.task.outcome.answer_column != "prediction":
        choice = Choice(f"the task {recipe.task}", frozenset({"error_rate"}))
        raise_problems(unread_problems(config, [choice], given=given))
    check_device(config.device)
    check_backbone(config.backbone)
    length, offset = len(recipe.wild_type), recipe.offset
    only = read_sites(config.sites, length=length, offset=offset, where="--sites")
    excluded = read_sites(
        config.exclude_sites, length=length, offset=offset, where="--exclude-sites"
    )
    inputs = [] if config.mutants is None else [config.mutants]
    with making_folder(
        config.out, command=MUTATE, overwrite=config.overwrite, inputs=inputs
    ) as work:
        # torch and all that stands on it: a refusal above should not wait for them
        from peftide.predictor.mutating import score_mutants

        kept = (only or set(range(1, length + 1))) - excluded
        needs = "error_rate" in given | changed_options(config)
        scored = score_mutants(config, sites=kept, needs_intervals=needs)
        table, folder = scored.table, RunFolder(work.new)
        answer = table.columns[1]
        write_table(table.drop(columns="sequence"), folder.path / SCORES)
        write_table(_order(table, config.top), folder.path / ORDER)
        picture = heat_map(
            table["mutant"],
            table[answer],
            Bands(recipe.wild_type, offset),
            answer=f"Predicted {PICTURED[answer]} {OF_EACH} {number(scored.wild_type)}",
        )
        write_text(folder.path / PICTURE, as_file(picture))
        record = environment(0, command=MUTATE) | {"status": "finished", "model": str(config.run)}
        of_wild_type = {answer: scored.wild_type, "in_train": scored.trained_on_wild_type}
        record |= {"wild_type": of_wild_type, "options": as_mapping(config)}
        write_json(folder.record, record)
        work.put(WRITTEN_BY[MUTATE])
    return table.drop(columns="sequence")


def _order(table: pd.DataFrame, top: int) -> pd.DataFrame:
    """Return the best mutants that nobody measured, with their sequences, numbered."""
    best = table.query("measured == 'no'").head(top).reset_index(drop=True)
    best.insert(0, "rank", best.index + 1)
    return best
