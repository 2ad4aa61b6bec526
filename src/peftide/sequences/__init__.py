"""FASTA files and tables come in; proteins and the rows of each part go out."""

from peftide.sequences.dataset import keep_used_proteins, read_dataset, select_rows
from peftide.sequences.fasta import read_fasta, stream_fasta
from peftide.sequences.hashing import sequence_hash
from peftide.sequences.lookup import SequenceLookup, SequenceSource, sequence_lookup
from peftide.sequences.parts import part_name, split_by_column
from peftide.sequences.records import Dataset, Examples, Finding, Proteins
from peftide.sequences.repeats import distinct_examples, distinct_sequences
from peftide.sequences.shared import check_shared_proteins
from peftide.sequences.tables import Table, TableSource, read_table
from peftide.sequences.text_files import read_text

__all__ = [
    "Dataset",
    "Examples",
    "Finding",
    "Proteins",
    "SequenceLookup",
    "SequenceSource",
    "Table",
    "TableSource",
    "check_shared_proteins",
    "distinct_examples",
    "distinct_sequences",
    "keep_used_proteins",
    "part_name",
    "read_dataset",
    "read_fasta",
    "read_table",
    "read_text",
    "select_rows",
    "sequence_hash",
    "sequence_lookup",
    "split_by_column",
    "stream_fasta",
]
