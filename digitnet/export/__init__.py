"""A trained network as ONNX, C and JavaScript: files that run without digitnet."""
