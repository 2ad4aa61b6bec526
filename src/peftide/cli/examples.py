"""The examples at the end of each command's `--help`."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("peftide demo", "peftide demo --out my_demo --seed 1"),
    "doctor": ("peftide doctor", "peftide doctor --backbone unirep --json"),
    "init": (
        "peftide init --task ppi --data pairs.tsv --sequences proteins.fasta --out ppi.yaml",
        "peftide init --task regression --method head --out fitness.yaml",
    ),
    "data": (
        "peftide data string --input 9606.protein.physical.links.v12.0.txt.gz --out interactions",
        "peftide data get ppi_yeast --out yeast",
    ),
    "split": (
        "peftide split --input all_pairs.tsv --sequences proteins.fasta --out parts",
        "peftide split --input solubility.tsv --fractions 0.7,0.1,0.2 --out parts",
    ),
    "plan": (
        "peftide plan --data pairs.tsv --sequences proteins.fasta",
        "peftide plan --data pairs.tsv --sequences proteins.fasta --method full --json",
    ),
    "train": (
        "peftide train --data pairs.tsv --sequences proteins.fasta --out my_run",
        "peftide train --config ppi.yaml --method head --out head_run",
    ),
    "compare": (
        "peftide compare --data pairs.tsv --sequences proteins.fasta --preset quick --out compared",
        "peftide compare --methods head,lora --seeds 3 --data pairs.tsv --sequences proteins.fasta "
        "--out compared",
    ),
    "sweep": (
        "peftide sweep --space space.yaml --data pairs.tsv --sequences proteins.fasta --out swept",
        "peftide sweep --space space.yaml --trials 60 --prune --data pairs.tsv "
        "--sequences proteins.fasta --out swept",
    ),
    "predict": (
        "peftide predict my_run --input new_pairs.tsv --sequences proteins.fasta --out answers.tsv",
        "peftide predict my_run --input new_pairs.tsv --sequences proteins.fasta --error-rate 0.1",
    ),
    "screen": (
        "peftide screen my_run --sequences proteome.fasta --top-k 20 --out hits.parquet",
        "peftide screen my_run --sequences baits.fasta --against proteome.fasta --threshold 0.9 "
        "--out hits.parquet",
    ),
    "mutate": (
        "peftide mutate my_run --out designs",
        "peftide mutate my_run --exclude-sites 1,60-65 --top 24 --out designs",
    ),
    "explain": (
        "peftide explain my_run --input new_pairs.tsv --sequences proteins.fasta --out explained",
        "peftide explain my_run --input new_pairs.tsv --sequences proteins.fasta --ids P1,P2 "
        "--partner a --no-substitutions --out explained",
    ),
    "app": ("peftide app my_run", "peftide app my_run --port 8000 --most-rows 200"),
    "evaluate": (
        "peftide evaluate my_run --input other_pairs.tsv --sequences proteins.fasta --out scores",
        "peftide evaluate my_run --input pairs.tsv --part test --sequences proteins.fasta "
        "--out scores",
    ),
    "audit": (
        "peftide audit --data pairs.tsv --sequences proteins.fasta",
        "peftide audit --train train.tsv --test test.tsv --sequences proteins.fasta --out all.json",
    ),
    "report": ("peftide report my_run", "peftide report scores"),
    "embed": (
        "peftide embed --sequences proteins.fasta --out vectors.safetensors",
        "peftide embed --run my_run --sequences proteins.fasta --data pairs.tsv "
        "--out adapted.parquet --map my_map",
    ),
    "merge": (
        "peftide merge my_run --out merged",
        "peftide merge my_run --backbone moved_backbone --out merged",
    ),
    "export": (
        "peftide export my_run --out graphs",
        "peftide export my_run --backbone moved_backbone --out graphs",
    ),
    "push": (
        "peftide push my_run my_lab/my_model",
        "peftide push my_run my_lab/my_model --public --overwrite",
    ),
    "pull": (
        "peftide pull my_lab/my_model --out pulled",
        "peftide pull my_lab/my_model --revision v1 --out pulled",
    ),
    "pretrain": (
        "peftide pretrain --sequences my_family.fasta --out my_backbone",
        "peftide pretrain --backbone mini --sequences my_family.fasta --hours 8 --out adapted",
    ),
    "completion": ("source <(peftide completion bash)", "peftide completion fish | source"),
}
"""Command → two examples; a test runs them through the parser."""
