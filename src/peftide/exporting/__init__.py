"""A trained model in forms that other programs open: a checkpoint of `transformers`, and ONNX."""
