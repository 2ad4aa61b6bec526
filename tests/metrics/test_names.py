import numpy as np

from peftide.metrics import binary_metrics, continuous_metrics, metric_name


def test_every_metric_has_a_name_without_underscores_and_with_capitals_where_they_belong() -> None:
    labels = np.array([0, 1, 0, 1])
    metrics = binary_metrics(labels, np.array([0.2, 0.7, 0.4, 0.6]), threshold=0.5)
    metrics |= continuous_metrics(labels.astype(float), np.array([0.2, 0.7, 0.4, 0.6]))
    names = {metric_name(key) for key in metrics}
    assert {"AUROC", "MCC", "F1", "Spearman correlation", "Brier score"} <= names
    assert len(names) == len(metrics)
    assert not [name for name in names if "_" in name]
