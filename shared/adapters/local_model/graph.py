"""all-MiniLM-L6-v2 as an ONNX graph: a BERT encoder, the mean of its last layer and a division by the length.

Input `ids`: int32 [texts, tokens], all texts of equal length, so no mask is needed. Output `vector`: float32 [texts,
384], unit length.

Weights are 8-bit integers with one scale per output column (Jacob et al. 2018, arXiv 1712.05877); activations are
quantised as they come. The word
table has one scale per word. The operators are those ONNX Runtime would arrive at itself after optimisation, less the
fused ones that measured
slower than their parts, so a session is opened without any optimisation.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, NDArray[np.float32]]

LAYERS = 6
HEADS = 12
EPSILON = 1e-12
_OPSET = 20
_IR_VERSION = 9
_CONTRIB = "com.microsoft"


def build(weights: Weights, *, tokens: int, dimensions: int) -> onnx.ModelProto:
    """The quantised model.

    Args:
        weights: tensors by their names in a BERT checkpoint.
        tokens: the longest text, in tokens.
        dimensions: length of a vector.
    """
    graph = _Graph(weights)
    states = graph.embeddings(tokens)
    for index in range(LAYERS):
        states = graph.layer(states, f"encoder.layer.{index}.")
    mean = graph.add("ReduceMean", states, graph.constant(np.array([1], np.int64)), keepdims=0)
    graph.nodes.append(helper.make_node("LpNormalization", [mean], ["vector"], axis=-1, p=2))
    made = helper.make_graph(
        graph.nodes,
        "all-minilm-l6-v2",
        [helper.make_tensor_value_info("ids", TensorProto.INT32, ["texts", "tokens"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["texts", dimensions])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="lambent")


def quantise_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """8-bit weights [in, out] and one scale per column, safe on processors without 8-bit dot products.

    Those multiply pairs of neighbouring rows by activations of 0-255 and add the two in 16 bits, which overflows when
    both weights have one sign and add up to more than 128 (255 · 129 > 2¹⁵ - 1). A column's scale is therefore
    widened, by a quarter on average, until no pair does: every processor computes the same, and the vectors lose
    nothing measurable (giving up a whole bit instead costs .005 nDCG@10 on scifact).
    """
    pairs = np.abs(weight[0::2] + weight[1::2]).max(axis=0)
    scale = np.maximum(np.abs(weight).max(axis=0), pairs) / np.float32(127)
    scale[scale == 0] = 1
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float32)


class _Graph:
    """Nodes and constants as they are added; a tensor is known by its name."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.add_many(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        names = [f"{operator}{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, domain=domain, **attributes))
        return names

    def normalise(self, states: str, name: str) -> str:
        scale, shift = (self.constant(self.weights[f"{name}.LayerNorm.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", states, scale, shift, epsilon=EPSILON)

    def dense(self, states: str, name: str) -> str:
        """A linear layer on floats, quantised on the way."""
        weight, scale = quantise_columns(self.weights[f"{name}.weight"].T)
        parts = (self.constant(weight), self.constant(scale), "", self.constant(self.weights[f"{name}.bias"]))
        return self.add("DynamicQuantizeMatMul", states, *parts, domain=_CONTRIB)

    def attention(self, states: str, name: str) -> str:
        """Multi-head attention; query, key and value share one quantisation of the states."""
        quantised, state_scale, state_zero = self.add_many("DynamicQuantizeLinear", states, outputs=3)
        projected = []
        for part in ("query", "key", "value"):
            weight, scale = quantise_columns(self.weights[f"{name}.{part}.weight"].T)
            kernel = (self.constant(weight), state_scale, self.constant(scale), state_zero, "")
            bias = self.constant(self.weights[f"{name}.{part}.bias"])
            projected.append(self.add("MatMulIntegerToFloat", quantised, *kernel, bias, domain=_CONTRIB))
        return self.add("MultiHeadAttention", *projected, domain=_CONTRIB, num_heads=HEADS)

    def embeddings(self, tokens: int) -> str:
        """Words plus positions; every text is of segment 0, so that segment is part of the positions."""
        table = self.weights["embeddings.word_embeddings.weight"]
        scale = np.abs(table).max(axis=1, keepdims=True) / np.float32(127)
        words = self.add("Gather", self.constant(np.round(table / np.maximum(scale, 1e-9)).astype(np.int8)), "ids")
        scales = self.add("Gather", self.constant(scale.astype(np.float32)), "ids")
        meaning = self.add("Mul", self.add("Cast", words, to=TensorProto.FLOAT), scales)
        places = self.weights["embeddings.position_embeddings.weight"][:tokens]
        table_of_places = self.constant(places + self.weights["embeddings.token_type_embeddings.weight"][0])
        zero, length = self.constant(np.array([0], np.int64)), self.add("Shape", "ids", start=1, end=2)
        return self.normalise(
            self.add("Add", meaning, self.add("Slice", table_of_places, zero, length, zero)), "embeddings"
        )

    def layer(self, states: str, name: str) -> str:
        """One encoder layer: attention and a feed-forward network, each added to its input and normalised."""
        attended = self.dense(self.attention(states, f"{name}attention.self"), f"{name}attention.output.dense")
        middle = self.normalise(self.add("Add", attended, states), f"{name}attention.output")
        inner = self.add("Gelu", self.dense(middle, f"{name}intermediate.dense"))
        return self.normalise(self.add("Add", self.dense(inner, f"{name}output.dense"), middle), f"{name}output")
