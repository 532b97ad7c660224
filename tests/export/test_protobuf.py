import pytest
from tensorflow.core.framework import graph_pb2, tensor_shape_pb2

from keras_sagan.export import protobuf


def test_encode_is_what_protobuf_reads():
    name = "n" * 300  # a length of two bytes
    node = protobuf.encode(1, name) + protobuf.encode(2, b"Const")
    graph = graph_pb2.GraphDef.FromString(protobuf.encode(1, node))
    assert [(x.name, x.op) for x in graph.node] == [(name, "Const")]


def test_decode_reads_what_protobuf_writes():
    shape = tensor_shape_pb2.TensorShapeProto(unknown_rank=True)
    shape.dim.add(size=2**40, name="x")
    message = shape.SerializeToString()
    ((size, name),) = [list(protobuf.decode(x)) for x in protobuf.values(message, 2)]
    assert size == (1, 2**40)
    assert name == (2, b"x")
    assert protobuf.first(message, 3) == 1
    assert protobuf.first(message, 9, "none") == "none"


def test_fixed_sizes():
    assert list(protobuf.decode(b"\x0d\1\2\3\4\x11" + bytes(8))) == [
        (1, b"\1\2\3\4"),
        (2, bytes(8)),
    ]


@pytest.mark.parametrize("message", [b"\x0a\x05abc", b"\x0a", b"\x80", b"\x0d\1"])
def test_cut_off(message):
    with pytest.raises(ValueError, match="cut off"):
        list(protobuf.decode(message))


def test_no_message():
    with pytest.raises(ValueError, match="Not a protocol buffer"):
        list(protobuf.decode(b"\x0f"))
