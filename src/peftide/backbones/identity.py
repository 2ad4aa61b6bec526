"""The identity of a backbone: its weights, its vocabulary and its configuration."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from peftide.backbones.backbone import Origin
from peftide.tokens import Vocabulary

WITHOUT_EFFECT = {
    *("_name_or_path", "name_or_path", "transformers_version", "architectures", "dtype"),
    *("torch_dtype", "use_cache", "return_dict", "output_attentions", "output_hidden_states"),
    *("id2label", "label2id", "num_labels", "problem_type", "task_specific_params", "auto_map"),
    *("_attn_implementation", "attn_implementation", "gradient_checkpointing", "torchscript"),
    *("_commit_hash", "finetuning_task", "vocab_list", "chunk_size_feed_forward"),
    *("initializer_range", "initializer_factor", "classifier_dropout", "tie_word_embeddings"),
}
"""Settings of `transformers` that change no embedding, or that a copy of the folder may change."""


def vocabulary_sha256(vocabulary: Vocabulary) -> str:
    """Return one hash of the token ids that sequences become."""
    digest = hashlib.sha256(vocabulary.letter_ids.astype("<i8").tobytes())
    digest.update(json.dumps([vocabulary.prefix, vocabulary.suffix]).encode())
    return digest.hexdigest()


def settings_of(config: Any) -> dict[str, Any]:
    """Return the settings of a configuration that may change embeddings, as plain JSON."""
    values = {k: v for k, v in config.to_dict().items() if k not in WITHOUT_EFFECT}
    return json.loads(json.dumps(values, default=str))


def differences(backbone: Origin, recorded: Origin) -> Iterator[str]:
    """Yield what of a backbone differs from a recorded one: weights, vocabulary, configuration.

    Older records lack vocabulary and settings. Settings that only one of the two names are no
    difference, because versions of `transformers` name different ones.
    """
    if backbone.weights_sha256 != recorded.weights_sha256:
        yield "the weights differ"
    if recorded.vocabulary_sha256 not in ("", backbone.vocabulary_sha256):
        yield "the vocabulary differs (other token ids for the same letters)"
    before, now = recorded.settings, backbone.settings
    changed = [
        f"{name} was {json.dumps(before[name])} and is {json.dumps(now[name])}"
        for name in sorted(before.keys() & now.keys())
        if (before[name] or None) != (now[name] or None)  # an absent switch is off
    ]
    if changed:
        yield f"the configuration differs ({'; '.join(changed)})"
