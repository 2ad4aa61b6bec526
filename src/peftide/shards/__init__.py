"""A FASTA file of any size → a folder of Parquet files with its embeddings, in flat memory.

`sorting.py` divides the sequences among shards by their hash, `names.py` finds ids that stand for
two sequences, `parquet.py` writes and reads one shard, `folder.py` is the folder with its record,
and `filling.py` makes the shards that are missing. No module imports torch.
"""
