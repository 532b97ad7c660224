"""Folders of a Triton repository, read by Triton's own message of its configuration."""

import pathlib

import numpy as np
import onnxruntime
import pytest

from keras_sagan.export.onnx import onnx_outputs
from keras_sagan.export.runtimes import verify_draws
from keras_sagan.export.triton import MAX_BATCH, export_triton, model_config
from tests import protos
from tests.helpers import tiny_networks

PROTOS = pathlib.Path(__file__).parent / "protos"


@pytest.fixture(scope="module")
def exported(any_gan, tmp_path_factory):
    """The version, in a repository."""
    folder = tmp_path_factory.mktemp("repository") / "tiny"
    return export_triton(any_gan.ema_generator, folder, license="CC0-1.0")


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """Reads a configuration as Triton does."""
    output = tmp_path_factory.mktemp("protos") / "set"
    parse = protos.parser(PROTOS, "inference", output)
    return lambda text: parse(text, "ModelConfig")


def test_the_layout(any_gan, exported):
    base = exported.parent
    assert sorted(str(x.relative_to(base)) for x in base.rglob("*")) == [
        *("1", "1/model.onnx", "config.pbtxt")
    ]
    assert verify_draws(any_gan, onnx_outputs(exported / "model.onnx")) <= 1e-4


def test_the_configuration_is_tritons(any_gan, exported, parsed):
    config = parsed((exported.parent / "config.pbtxt").read_text())
    types = config.input[0].DESCRIPTOR.fields_by_name["data_type"].enum_type
    labels = {} if any_gan.generator.num_classes is None else {"label": "INT32"}
    wanted = {"seed": "INT64", "truncation": "FP32", **labels}
    assert (config.name, config.backend) == ("tiny", "onnxruntime")
    assert {x.name: x.data_type for x in config.input} == {
        name: types.values_by_name[f"TYPE_{kind}"].number
        for name, kind in wanted.items()
    }
    for tensor in config.input:
        assert list(tensor.dims) == [1]
        assert tensor.HasField("reshape") and not tensor.reshape.shape
    (images,) = config.output
    assert (images.name, list(images.dims)) == ("images", [32, 32, 3])
    assert images.data_type == types.values_by_name["TYPE_UINT8"].number
    assert config.HasField("dynamic_batching")
    assert [warmup.batch_size for warmup in config.model_warmup] == [1, MAX_BATCH]


def test_what_triton_would_send(exported, parsed):
    """Its inputs have the rows and types of the model, and the model answers them."""
    config = parsed((exported.parent / "config.pbtxt").read_text())
    session = onnxruntime.InferenceSession(str(exported / "model.onnx"))
    known = {x.name: x for x in session.get_inputs()}
    kinds = {"tensor(int64)": "i8", "tensor(int32)": "i4", "tensor(float)": "f4"}
    assert {x.name for x in config.input} == set(known)
    for warmup in config.model_warmup:
        rows = {
            name: np.zeros(
                (warmup.batch_size, *list(config.input[0].reshape.shape)),
                kinds[known[name].type],
            )
            for name in warmup.inputs
        }
        (images,) = session.run(["images"], rows)
        assert images.shape == (warmup.batch_size, *config.output[0].dims)


@pytest.mark.parametrize("signature", ["serving_default", "attention"])
def test_other_signatures(conditional_gan, tmp_path, parsed, signature):
    version = export_triton(conditional_gan.ema_generator, tmp_path / "x", signature)
    config = parsed(model_config(version / "model.onnx", 'a "name"'))
    assert config.name == 'a "name"'
    tensors = {x.name: list(x.dims) for x in [*config.input, *config.output]}
    assert tensors["latent"] == [8] and tensors["images"] == [32, 32, 3]
    maps = [x for name, x in tensors.items() if name.startswith("attention")]
    assert bool(maps) == (signature == "attention")
    assert all(min(dims) > 0 for dims in maps)


@pytest.mark.slow
def test_versions(unconditional_gan, conditional_gan, tmp_path):
    base, generator = tmp_path / "x", unconditional_gan.ema_generator
    assert export_triton(generator, base) == base / "1"
    assert export_triton(generator, base) == base / "2"
    with pytest.raises(FileExistsError, match=r"config\.pbtxt' .*another model"):
        export_triton(conditional_gan.ema_generator, base)
    assert sorted(x.name for x in base.iterdir()) == ["1", "2", "config.pbtxt"]


def test_what_does_not_hold_is_not_published(tmp_path):
    def refuse(path):
        raise ValueError("not this one")

    generator = tiny_networks()[0]
    with pytest.raises(ValueError, match="not this one"):
        export_triton(generator, tmp_path / "x", verify=refuse)
    assert list((tmp_path / "x").iterdir()) == []
