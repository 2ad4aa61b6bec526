"""The tables of `peftide explain` → its page."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from peftide.quantities import count_of
from peftide.report import wording
from peftide.report.figures import Axis, Frame, chart, line, spanning
from peftide.report.heat_map import Bands, heat_map
from peftide.report.markup import Markup, element
from peftide.report.page import document, listed
from peftide.report.tables import Section, scrolling, section, table
from peftide.report.writing import page_footer, page_header

MOST_PROTEINS = 10
"""Proteins that are drawn; the tables have all."""
MOST_RESIDUES = 8
"""Residues in the list of the most important ones."""
SITES_PER_BAND = 70
BARS = (
    "Bars: the contribution of each residue to the score; up (blue) raises it, down (red) lowers "
    "it."
)
SQUARES = (
    "Squares: the change of the score by each substitution; blue is higher, red lower, dots "
    "mark the residue itself."
)
EVEN = " Log odds are 0 at even odds and rise with the probability."
LOG_ODDS = "log odds"
"""First words of the name of a score that is no value in the units of the labels."""


def explanation_page(
    tables: Mapping[str, pd.DataFrame | None], record: Mapping[str, Any], *, title: str | None
) -> str:
    """Return the whole page.

    Parameters
    ----------
    tables
        `proteins`, `residues`, `deletion` and, if asked for, `substitutions`.
    record
        Content of `run.json`.
    """
    proteins, out = _table(tables, "proteins"), record["options"]["out"]
    title = title or f"Explanation of {count_of(len(proteins), 'protein')}"
    facts = [
        ("model", str(record["model"])),
        ("score", ", ".join(map(scored, dict.fromkeys(proteins["target"])))),
        ("date", wording.moment(record["date"])),
    ]
    faithful = record["faithfulness"]
    answer = element(
        "div",
        element("p", faithful["verdict"], class_="verdict"),
        None if faithful["is_faithful"] else element("p", UNFAITHFUL),
        class_="answer",
    )
    found = [*_overview(proteins), *protein_sections(tables), _more(len(proteins))]
    return document(
        title,
        header=page_header("explain", title, facts),
        main=[answer, *listed(found)],
        footer=page_footer(record, out),
    )


UNFAITHFUL = (
    "Do not read the bars below as reasons of the model. The squares do not depend on this test: "
    "the model scored every substitution."
)


def how_to_read(*, squares: bool = True) -> str:
    """Return how to read the picture of a protein, with or without its substitutions."""
    if not squares:
        return f"{BARS} Point at a bar for its number."
    return f"{BARS} {SQUARES} Point at a bar or square for its number."


def scored(target: str) -> str:
    """Return the name of a score, and whether it is calibrated.

    Examples
    --------
    >>> scored("log odds of yes"), scored("predicted value")
    ('log odds of yes, before calibration', 'predicted value')
    """
    return f"{target}, before calibration" if target.startswith(LOG_ODDS) else target


def protein_sections(tables: Mapping[str, pd.DataFrame | None]) -> Iterator[Section | None]:
    """Yield one section per protein: bars and heat map, important residues, the deletion test."""
    proteins = _table(tables, "proteins")
    keys = [name for name in ("id", "id_a", "id_b", "partner") if name in proteins]
    grouped = {
        name: dict(list(found.groupby(keys, sort=False)))
        for name, found in tables.items()
        if found is not None
    }
    for row in proteins.head(MOST_PROTEINS).to_dict("records"):
        key = tuple(row[name] for name in keys)
        mine = {name: groups.get(key) for name, groups in grouped.items()}
        residues, changes = _table(mine, "residues"), mine.get("substitutions")
        yield section(
            named(row),
            element("div", picture(residues, changes), class_="picture"),
            element(
                "div",
                element("figure", deletion_chart(_table(mine, "deletion")), _caption(row)),
                important(residues, changes),
                class_="figures",
            ),
            intro=f"Score ({scored(row['target'])}): {wording.score(row['score'])}."
            + f"{EVEN if row['target'].startswith(LOG_ODDS) else ''} "
            + how_to_read(squares=changes is not None),
        )


def named(row: Mapping[str, Any]) -> str:
    """Return a protein in words.

    Examples
    --------
    >>> named({"id_a": "P1", "id_b": "P2", "partner": "b"})
    'P2 (b) with P1 (a)'
    """
    if "partner" not in row:
        return str(row["id"])
    pair = [f"{row['id_a']} (a)", f"{row['id_b']} (b)"]
    return " with ".join(pair if row["partner"] == "a" else pair[::-1])


def picture(residues: pd.DataFrame, changes: pd.DataFrame | None) -> Markup:
    """Return the bars of all residues, and below them the heat map of substitutions."""
    sequence = "".join(residues["residue"])
    bands = Bands(
        sequence, most_sites=SITES_PER_BAND, has_bars=True, has_squares=changes is not None
    )
    names, scores = ([], []) if changes is None else (changes["mutant"], changes["change"])
    drawn = heat_map(
        names,
        scores,
        bands,
        answer="Contribution of each residue"
        + ("" if changes is None else ", and change of the score by each substitution"),
        middle=0.0,
        bars=residues["attribution"],
    )
    label = "Residues" if changes is None else "Residues and substitutions"
    return scrolling(drawn, label=label)


def important(residues: pd.DataFrame, changes: pd.DataFrame | None) -> Markup:
    """Return a table of the residues that raise and lower the score most."""
    ranked = residues.sort_values("attribution", ascending=False, kind="stable")
    few = min(MOST_RESIDUES, len(ranked) // 2)
    ends = pd.concat([ranked.head(few), ranked.tail(few)]) if few else ranked
    effects = {}
    if changes is not None:
        means = changes.pivot_table("change", "position").reset_index()
        effects = dict(zip(means["position"].tolist(), means["change"].tolist(), strict=True))
    rows = []
    for row in ends.to_dict("records"):
        cells = [f"{row['residue']}{row['position']}", wording.signed(row["attribution"])]
        if effects:
            known = row["position"] in effects
            cells.append(wording.signed(effects[row["position"]]) if known else "–")
        rows.append(cells)
    header = ["residue", "contribution", *(["mean change by substitution"] if effects else [])]
    return table(
        header, rows, label="Residues that raise and lower the score most", class_="numbers"
    )


def deletion_chart(steps: pd.DataFrame) -> Markup:
    """Return the score while residues are hidden: large contributions first, and at random."""
    share = steps["hidden"].to_numpy() / steps["hidden"].to_numpy().max() * 0.5
    columns = ["attributed", "random", "random_low", "random_high"]
    frame = Frame(
        Axis("share of hidden residues", 0, 0.5), spanning("score", steps[columns].to_numpy())
    )
    return chart(
        frame,
        line(frame, share, steps["random_low"], class_="other thin dashes-2"),
        line(frame, share, steps["random_high"], class_="other thin dashes-2"),
        line(frame, share, steps["random"], class_="other"),
        line(frame, share, steps["attributed"], class_="model"),
        label="Score while residues are hidden, the largest contributions first, and at random",
    )


def _caption(row: Mapping[str, Any]) -> Markup:
    ahead = "faster than" if row["ahead"] == "yes" else "not faster than all of"
    said = (
        "Blue: residues are hidden, those with the largest contributions first. Orange: residues "
        f"are hidden in random orders (mean and range). The first {changed(row['area'])} on "
        f"average, the second {changed(row['random_area'])}: the score falls {ahead} the random "
        "orders."
    )
    if row["random_area"] < 0:
        said += (
            " Hiding residues at random raises the score, so proteins with hidden residues are "
            "unlike the proteins of the training: read this test with caution."
        )
    return element("figcaption", element("b", "Deletion test. "), said)


def changed(area: float) -> str:
    """Return a fall of the score in words.

    Examples
    --------
    >>> changed(0.5), changed(-2.0)
    ('lowers the score by 0.500', 'raises it by 2.000')
    """
    word = "lowers the score" if area >= 0 else "raises it"
    return f"{word} by {wording.score(abs(area))}"


def _overview(proteins: pd.DataFrame) -> list[Section | None]:
    """Return the table of all proteins, if there are several."""
    if len(proteins) < 2:
        return []
    rows = [
        [
            named(row),
            wording.score(row["score"]),
            wording.signed(row["lead"]),
            row["ahead"],
        ]
        for row in proteins.head(100).to_dict("records")
    ]
    header = ["protein", "score", "lead", "ahead"]
    return [
        section(
            "Proteins",
            table(header, rows, label="Score and deletion test of each protein", class_="numbers"),
            intro="The deletion test hides the residues with the largest contributions, and random "
            "ones. Lead: how much further the score falls for the first. Ahead: further than in "
            "each random order.",
        )
    ]


def _more(count: int) -> Section | None:
    if count <= MOST_PROTEINS:
        return None
    text = f"The first {MOST_PROTEINS} of {count:,} proteins are drawn; the tables have all."
    return section("More proteins", element("p", text))


def _table(tables: Mapping[str, pd.DataFrame | None], name: str) -> pd.DataFrame:
    found = tables[name]
    assert found is not None
    return found
