"""A service → the page: boxes to fill in, buttons, answers. The only module that knows gradio."""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pandas as pd

from peftide.errors import PeftideError
from peftide.evaluation.tables import write_table
from peftide.on_demand import require_library
from peftide.predictor.predictor import PART
from peftide.report.markup import Markup, element
from peftide.report.read import read_options, read_scores
from peftide.report.tables import table
from peftide.run_folder import RunFolder
from peftide.sequences import Dataset
from peftide.serving import words
from peftide.serving.neighbours import Neighbours
from peftide.serving.requests import Source, checked_rate, read_one, read_rows
from peftide.serving.service import Service

SHOWN_ROWS = 50
DEFAULT_LABEL = "label"
"""A column of this name says nothing about the question."""
DEFAULT_ERROR_RATE = 0.1
LEAST_WIDTH = 280
"""Pixels of a box; on a phone, boxes stand below each other."""
WAITS = "always_last"
"""Without this mode, gradio ignores a click while the answer to an earlier one is on its way."""
DROP_HEIGHT = 150
"""Pixels of a box for a file, which has a label and three lines."""


class Page:
    """The page of one model.

    Parameters
    ----------
    files
        Folder for files to download.
    """

    def __init__(self, service: Service, neighbours: Neighbours, *, files: Path) -> None:
        self.service, self.neighbours, self.files = service, neighbours, files
        self.task = service.predictor.answering.task
        self.is_pair = self.task.level == "pair"

    def build(self) -> Any:
        """Return the page as gradio blocks."""
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        gradio = require_library("gradio", extra="app")
        heading, label = self.heading()
        with gradio.Blocks(analytics_enabled=False, title=f"peftide: {heading}") as page:
            gradio.HTML(element("div", element("h1", heading), label))
            with gradio.Tab("One pair" if self.is_pair else "One protein"):
                self._one(gradio)
            with gradio.Tab("Many"):
                self._many(gradio)
            with gradio.Tab("About"):
                gradio.HTML(self.about())
        page.queue(max_size=128, default_concurrency_limit=8, api_open=False)
        return page

    def heading(self) -> tuple[str, Markup | None]:
        """Return the title of the run, or its question, and what its labels are about."""
        options = read_options(RunFolder(self.service.config.run).config)
        column = options.get("label_column", DEFAULT_LABEL)
        label = None if column == DEFAULT_LABEL else element("p", f"Label: {column}")
        return " ".join((options.get("title") or self.task.question).split()), label

    # ---- one pair or protein ------------------------------------------------------------------

    def _one(self, gradio: Any) -> None:
        names = ["First protein", "Second protein"] if self.is_pair else ["Protein"]
        with gradio.Row():
            boxes = [
                gradio.Textbox(
                    label=name,
                    lines=5,
                    max_lines=8,
                    min_width=LEAST_WIDTH,
                    info="Residues, or a FASTA record",
                )
                for name in names
            ]
        rate = self._rate(gradio)
        ask = gradio.Button("Answer", variant="primary")
        answer, nearest = gradio.HTML(), gradio.HTML()
        partner = gradio.Radio(
            names, value=names[0], label="Explain the residues of", visible=self.is_pair
        )
        explain = gradio.Button("Explain by substitutions")
        picture = gradio.HTML()
        explaining = explain.click(
            self.explain_one,
            [partner, *boxes],
            picture,
            concurrency_id="explain",
            trigger_mode=WAITS,
        )
        # Listeners of one click run one after another, so this one must come first.
        ask.click(None, cancels=[explaining])
        asked = ask.click(
            lambda *given: (self.answer_one(*given), "", ""),  # the rest is of the last question
            [rate, *boxes],
            [answer, nearest, picture],
            api_name="answer_one",
            show_progress="minimal",
            trigger_mode=WAITS,
            queue=False,
        )
        asked.then(self.nearest_one, boxes, nearest, trigger_mode=WAITS, queue=False)

    def _rate(self, gradio: Any) -> Any:
        return gradio.Number(
            DEFAULT_ERROR_RATE,
            label="Error rate of prediction sets",
            info="A set misses the true class this often; a lower rate makes sets larger",
            step=0.01,
            visible=self.service.has_sets,
        )

    def answer_one(self, rate: float, *texts: str) -> Markup:
        """Return the answer to one pair or protein, or what is wrong with it."""
        return said(self._answer_one)(rate, *texts)

    def _answer_one(self, rate: float, *texts: str) -> Markup:
        rate = checked_rate(rate)
        dataset = read_one(self.service.predictor, texts, self.service.config)
        rows = self.service.answer(dataset, error_rate=rate)
        kept = self.service.always_in_sets(rate)
        found = words.answer(rows, level=self.task.level, error_rate=rate, kept=kept)
        about = words.asked(asked_sequences(dataset))
        return element("div", about, found, self._threshold(), words.notes(dataset.findings))

    def _threshold(self) -> Markup | None:
        """Return from which probability on the answer is yes; nothing for other answers."""
        answering = self.service.predictor.answering
        if not answering.task.outcome.uses_threshold:
            return None
        return words.threshold(answering.decisions.threshold)

    def nearest_one(self, *texts: str) -> Markup:
        """Return the nearest training proteins; nothing if the input is wrong."""
        try:
            dataset = read_one(self.service.predictor, texts, self.service.config)
        except PeftideError:
            return Markup("")  # the answer says what is wrong
        return words.nearest(self.neighbours.of(asked_sequences(dataset)))

    def explain_one(self, partner: str, *texts: str) -> Iterator[Markup]:
        """Yield the explanation of one protein while it grows, or what is wrong."""
        try:
            dataset = read_one(self.service.predictor, texts, self.service.config)
            which = "b" if partner.startswith("Second") else "a"
            for found in self.service.explain(dataset, partner=which):
                yield words.explained(found)
        except PeftideError as error:
            yield words.problem(str(error))

    # ---- many ---------------------------------------------------------------------------------

    def _many(self, gradio: Any) -> None:
        shape = {"lines": 6, "max_lines": 10, "min_width": LEAST_WIDTH}
        with gradio.Row():
            table = gradio.Textbox(
                label="Table" if self.is_pair else "FASTA, or a table",
                info="With the columns id_a and id_b, or sequence_a and sequence_b"
                if self.is_pair
                else "A table has the columns id and sequence",
                **shape,
            )
            sequences = gradio.Textbox(
                label="FASTA with the sequences of the ids",
                info="Only for rows without sequences",
                visible=self.is_pair,
                **shape,
            )
        with gradio.Row():
            drop = {"height": DROP_HEIGHT, "min_width": LEAST_WIDTH}
            label = "or a file with the table" if self.is_pair else "or a file with either"
            table_file = gradio.File(label=label, **drop)
            sequences_file = gradio.File(label="or a FASTA file", visible=self.is_pair, **drop)
        rate = self._rate(gradio)
        with gradio.Row():
            ask = gradio.Button("Answer all", variant="primary")
            stop = gradio.Button("Stop")
        state = gradio.HTML()
        result = gradio.File(label="Answers", interactive=False, height=80, visible=False)
        shown = gradio.HTML()
        inputs = [rate, table, sequences, table_file, sequences_file]

        def answer(*arguments: Any) -> Iterator[tuple[Markup, Any, Markup]]:
            for said, path, first in self.answer_many(*arguments):
                yield said, gradio.update(value=path, visible=path is not None), first

        asked = ask.click(
            answer,
            inputs,
            [state, result, shown],
            concurrency_id="many",
            concurrency_limit=4,
            trigger_mode=WAITS,
        )
        stop.click(None, cancels=[asked])

    def answer_many(
        self, rate: float, table: str, sequences: str, *files: str | None
    ) -> Iterator[tuple[Markup, str | None, Markup]]:
        """Yield how many rows are answered, and at the end the file and its first rows."""
        table_file, sequences_file = files
        try:
            rate = checked_rate(rate)
            dataset = read_rows(
                self.service.predictor,
                Source(table or "", table_file),
                Source(sequences or "", sequences_file),
                config=self.service.config,
            )
            total, done, found = len(dataset.parts[PART]), 0, []
            for done, rows in self.service.answer_all(dataset, error_rate=rate):
                found.append(rows)
                yield progress(done, total), None, Markup("")
        except PeftideError as error:
            yield words.problem(str(error)), None, Markup("")
            return
        answers = pd.concat(found, ignore_index=True)
        left = total - done
        message = progress(done, total)
        if left:
            late = f"Stopped after {self.service.config.most_seconds:g} s: {left:,} rows are left."
            message = words.problem(f"{late} `peftide predict` has no limit.")
        message = element("div", message, self._threshold(), words.notes(dataset.findings))
        yield message, str(self._written(answers)), first_rows(answers)

    def _written(self, answers: pd.DataFrame) -> Path:
        """Write the answers into a folder of their own."""
        folder = Path(tempfile.mkdtemp(dir=self.files))
        write_table(answers, folder / "scores.tsv")
        return folder / "scores.tsv"

    # ---- about --------------------------------------------------------------------------------

    def about(self) -> Markup:
        """Return facts about the model and the limits of the app."""
        config, predictor = self.service.config, self.service.predictor
        crop = predictor.encoder.max_length
        backbone = predictor.encoder.model.backbone.origin.name
        lines = [
            f"The model of {config.run.resolve().name} on the backbone {backbone}.",
            *words.standing(read_run_scores(config.run)),
            f"One request may have {config.most_rows:,} rows, {config.most_residues:,} residues in "
            f"a sequence and {config.upload_mb:g} MB, and take {config.most_seconds:g} s.",
            f"The model reads the first {crop:,} residues of a sequence." if crop else "",
            "Nothing that you paste leaves the server. Files to download go when it stops.",
        ]
        return element("div", [element("p", line) for line in lines if line])


def asked_sequences(dataset: Dataset) -> list[str]:
    """Return the sequences of the first row."""
    members = dataset.parts[PART].members[0]
    return [dataset.proteins.sequences[member] for member in members]


def read_run_scores(run: Path) -> dict[str, Any]:
    """Return the content of `metrics.json`; nothing if only the model was shared."""
    folder = RunFolder(run)
    return read_scores(folder) if folder.metrics.exists() else {}


def said(function: Callable[..., Markup]) -> Callable[..., Markup]:
    """Return a function whose errors are messages on the page."""

    @wraps(function)
    def answering(*arguments: Any) -> Markup:
        try:
            return function(*arguments)
        except PeftideError as error:
            return words.problem(str(error))

    return answering


def progress(done: int, total: int) -> Markup:
    """Return how much is done, as a bar with its numbers."""
    bar = element("progress", value=done, max=total, aria_label="Answered rows")
    return element("p", bar, f" {done:,} of {total:,} rows", role="status")


def first_rows(answers: pd.DataFrame) -> Markup:
    """Return the first answers as a table."""
    head = answers.head(SHOWN_ROWS)
    rows = [
        [f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in head.to_numpy()
    ]
    label = f"The first {len(head)} of {len(answers):,} rows"
    return table(list(head), rows, label=label, class_="numbers")
