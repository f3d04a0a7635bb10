"""From a bundle to the headers that the firmware is built from: a small compiler.

Bundle → `reader` (flatbuffer to typed layers and integer multipliers) → `plan` (where activations live) →
`compiled_model`, `model_data`, `headers`, `filter_coefficients` (text by Jinja2 templates) → `generator` (files).
"""

from hardwear.codegen.generator import generate, render
from hardwear.codegen.graph import Graph
from hardwear.codegen.reader import read_graph

__all__ = ["Graph", "generate", "read_graph", "render"]
