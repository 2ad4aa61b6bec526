"""Do mean embeddings know families that pretraining never saw? One row per backbone.

    python benchmarks/held_out_families.py --sequences C.fa.xz … --clusters c50_cluster.tsv \
        --backbones A B random:esm2_t6_8M

Two measures over sequences of held-out clusters (those `peftide pretrain` holds out with the same
seed), vectors standardised, cosine similarity:

- homologue: mean reciprocal rank of the one relative (same 50 % cluster) among all others;
- same source file: a held-out sequence and the next in corpus order, if of another cluster (in this
  corpus mostly two enzymes of one reaction), against shuffled pairs; area under the ROC curve.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from recording import add_record_option, write_record
from sklearn.metrics import roc_auc_score

from peftide import embed
from peftide.backbones.loading import load_backbone
from peftide.config import EmbedConfig
from peftide.pretraining.corpus import Corpus, CorpusFiles, open_corpus
from peftide.pretraining.sampling import hold_out_clusters


def main() -> None:
    options = parse()
    files = CorpusFiles(tuple(options.sequences), options.exclude, options.clusters)
    vocabulary = load_backbone("random:esm2_tiny").vocabulary
    corpus = open_corpus(options.corpus, files, vocabulary.letter_ids)
    pairs = {
        "homologue": homologues(corpus, options),
        "same source file": neighbours(corpus, options),
    }
    letters = {int(i): chr(b) for b, i in enumerate(vocabulary.letter_ids) if chr(b).isupper()}
    letters[int(vocabulary.letter_ids[ord("X")])] = "X"
    used = np.unique(np.concatenate([p.ravel() for p in pairs.values()]))
    texts = {f"s{i}": "".join(letters[int(t)] for t in corpus.residues(int(i))) for i in used}
    place = {int(i): n for n, i in enumerate(used)}
    rows = []
    print(f"{'backbone':<32} {'homologue MRR':>14} {'neighbour AUROC':>16}")
    for name in ["composition", *options.backbones]:
        vectors = composition(texts) if name == "composition" else embedded(name, texts, options)
        vectors = (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-9)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        local = {k: np.vectorize(place.get)(v) for k, v in pairs.items()}
        rank = reciprocal_rank(vectors, local["homologue"])
        area = neighbour_area(vectors, local["same source file"], options.seed)
        print(f"{name:<32} {rank:>14.4f} {area:>16.4f}", flush=True)
        rows.append([name, f"{rank:.4f}", f"{area:.4f}"])
    write_record(options.record, ("backbone", "homologue MRR", "neighbour AUROC"), rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=Path, nargs="+", required=True)
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("--clusters", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the tokenised corpus")
    parser.add_argument("--backbones", nargs="+", default=[])
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seed", type=int, default=0)
    add_record_option(parser)
    return parser.parse_args()


def held_out_members(corpus: Corpus, options: argparse.Namespace) -> np.ndarray:
    """All sequences of the clusters that pretraining held out."""
    _, chosen = hold_out_clusters(corpus.clusters, options.held_out, seed=options.seed)
    return np.flatnonzero(np.isin(corpus.clusters, corpus.clusters[chosen]))


def homologues(corpus: Corpus, options: argparse.Namespace) -> np.ndarray:
    """Two members of each held-out cluster that has two. Shape (families, 2)."""
    members = np.random.default_rng(options.seed).permutation(held_out_members(corpus, options))
    order = members[np.argsort(corpus.clusters[members], kind="stable")]
    clusters = corpus.clusters[order]
    first = np.flatnonzero(np.r_[True, clusters[1:] != clusters[:-1]])
    paired = first[np.diff(np.r_[first, len(order)]) >= 2]
    return np.stack([order[paired], order[paired + 1]], axis=1)


def neighbours(corpus: Corpus, options: argparse.Namespace) -> np.ndarray:
    """Held-out sequences of the first source and the next of another cluster. Shape (pairs, 2)."""
    source = corpus.ids[0][:2]
    members = [m for m in held_out_members(corpus, options) if corpus.ids[m][:2] == source]
    near = [m + 1 for m in members]
    pairs = np.array([members, near]).T[:-1]
    return pairs[corpus.clusters[pairs[:, 0]] != corpus.clusters[pairs[:, 1]]]


def composition(texts: dict[str, str]) -> np.ndarray:
    letters = "ACDEFGHIKLMNPQRSTVWY"
    return np.array(
        [[t.count(a) / len(t) for a in letters] + [np.log(len(t))] for t in texts.values()]
    )


def embedded(name: str, texts: dict[str, str], options: argparse.Namespace) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "s.fasta"
        fasta.write_text("".join(f">{k}\n{v}\n" for k, v in texts.items()))
        config = EmbedConfig(
            sequences=fasta,
            backbone=name,
            out=Path(folder) / "e.safetensors",
            threads=options.threads,
        )
        vectors = embed(config)
    return np.stack([vectors[k] for k in texts]).astype(np.float64)


def reciprocal_rank(vectors: np.ndarray, pairs: np.ndarray) -> float:
    pool = pairs.ravel()
    similarity = vectors[pool] @ vectors[pool].T
    np.fill_diagonal(similarity, -np.inf)
    partner = np.arange(len(pool)) ^ 1
    own = similarity[np.arange(len(pool)), partner]
    return float(np.mean(1 / (1 + (similarity > own[:, None]).sum(1))))


def neighbour_area(vectors: np.ndarray, pairs: np.ndarray, seed: int) -> float:
    shuffled = np.random.default_rng(seed).permutation(pairs[:, 1])
    near = (vectors[pairs[:, 0]] * vectors[pairs[:, 1]]).sum(1)
    far = (vectors[pairs[:, 0]] * vectors[shuffled]).sum(1)
    return float(roc_auc_score(np.r_[np.ones(len(near)), np.zeros(len(far))], np.r_[near, far]))


if __name__ == "__main__":
    main()
