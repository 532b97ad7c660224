import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_sagan.export.verifying import graph

REGISTERED = {"Conv2D", "PyFunc", "ReadFile", "SaveV2"}


@pytest.fixture(scope="module")
def parsed(any_export):
    content = (any_export / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]


def test_signatures(any_export, parsed):
    signatures = graph.signature_defs(graph.read_meta_graph(any_export))
    wanted = {k: v for k, v in parsed.signature_def.items() if not k.startswith("__")}
    assert sorted(signatures) == sorted(wanted)
    for name, definition in wanted.items():
        for mine, theirs in [
            (signatures[name].inputs, definition.inputs),
            (signatures[name].outputs, definition.outputs),
        ]:
            assert {k: (p.tensor, p.dtype) for k, p in mine.items()} == {
                k: (x.name, x.dtype) for k, x in theirs.items()
            }


def test_version(any_export):
    meta_graph = graph.read_meta_graph(any_export)
    assert graph.tensorflow_version(meta_graph) == tf.__version__


def test_requests_do_no_work_that_weights_decide(any_export):
    operations = graph.served_operations(graph.read_meta_graph(any_export))
    assert set(operations) == {
        "serving_default", "generate", "generate_png", "attention"
    }  # fmt: skip
    counts = operations["serving_default"]
    assert counts["Conv2DBackpropInput"] == 3  # one an upsampling convolution
    # The spectral norms (two matrix products a kernel), batch norms and 4x4 kernels.
    assert counts["MatMul"] == 1  # the dense layer
    assert not set(counts) & {"Rsqrt", "RealDiv", "ReverseV2", "Pad", "PadV2"}
    # Functions are looked into: those of drawing latents as well.
    assert "Ndtri" not in counts
    assert operations["generate"]["Ndtri"] == 1
    assert operations["generate_png"]["EncodePng"] == 1
    assert operations["attention"]["Softmax"] == 1


def test_requests_do_not_reach_what_loads_and_saves(any_export, parsed):
    fields = {field.name: value for field, value in parsed.graph_def.ListFields()}
    everything = {node.op for node in fields["node"]}
    for function in fields["library"].function:
        everything |= {node.op for node in function.node_def}
    assert "SaveV2" in everything
    operations = graph.served_operations(graph.read_meta_graph(any_export))
    used = set().union(*operations.values())
    assert graph.forbidden_operations(used, everything) == []


def test_functions_in_lists_are_looked_into(tmp_path):
    """`Case` names its branches in a list; a branch writes a file."""

    @tf.function(input_signature=[tf.TensorSpec((), tf.int32)])
    def choose(index):
        def write():
            tf.io.write_file("/nowhere", "x")
            return index

        return {"y": tf.switch_case(index, [write, lambda: index + 1])}

    tf.saved_model.save(
        tf.Module(), str(tmp_path), signatures=choose.get_concrete_function()
    )
    operations = graph.served_operations(graph.read_meta_graph(tmp_path))
    used = set(operations["serving_default"])
    assert graph.forbidden_operations(used, used) == ["WriteFile"]


def test_forbidden_operations():
    assert graph.forbidden_operations({"Conv2D"}, REGISTERED) == []
    used = {"Conv2D", "MyOwnOp", "PyFunc", "ReadFile", "SaveV2"}
    assert graph.forbidden_operations(used, REGISTERED) == sorted(used - {"Conv2D"})


def test_version_warning():
    assert graph.version_warning("2.21.0") is None
    assert graph.version_warning("2.9.3") is None
    for version in ("2.22.0", "3.0.0-rc1"):
        assert version in graph.version_warning(version)


def test_this_tensorflow_is_served():
    assert graph.version_warning(tf.__version__) is None
