"""The FID network against torch-fidelity's and pytorch-fid's, with random weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan.metrics import extract, inception_extractor
from keras_sagan.metrics.extractors import inception

pytestmark = pytest.mark.usefixtures("inception_built_once")


def pictures(count=3, size=40):
    """Coarse patterns of rising contrast: features of noise hardly differ."""
    generator = np.random.default_rng(size)
    coarse = generator.integers(0, 256, (count, 4, 4, 3))
    images = np.kron(coarse, np.ones((1, size // 4, size // 4, 1)))
    contrast = np.linspace(0.2, 1, count)[:, None, None, None]
    return (128 + contrast * (images - 128)).astype(np.uint8)


def as_torch(peers, images):
    return peers.torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def relative(ours, theirs):
    theirs = theirs.numpy()
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def test_is_torch_fidelitys_network(peers, torch_inception, inception_file):
    """From uint8 images of another size to pool3 and the logits of its score."""
    images = pictures()
    with peers.torch.no_grad():
        pool3, unbiased, logits = torch_inception(as_torch(peers, images))
    extractor = inception_extractor(inception_file)
    ours, our_logits = extract(images, extractor)
    assert ours.shape == (3, 2048) and our_logits.shape == (3, 1008)
    assert relative(ours, pool3) < 1e-5
    assert relative(our_logits, unbiased) < 1e-5
    assert relative(our_logits, logits) > 1e-3  # the bias of the classifier matters
    # Different images have different features: the comparison is not of constants.
    assert np.abs(ours[0] - ours[2]).max() > 0.05 * np.abs(ours).max()
    assert not extractor.is_fid_network
    assert extractor.name == "inception_unverified"


def test_logits_with_bias(peers, torch_inception, inception_model):
    model = inception_model[0]
    with peers.torch.no_grad():
        logits = torch_inception(as_torch(peers, pictures()))[2]
    x = tf.raw_ops.ResizeBilinear(images=pictures(), size=[299, 299])
    found = model((x - 128) / 128, training=False)["logits"].numpy()
    assert relative(found, logits) < 1e-5


def test_is_pytorch_fids_network_and_resizing(
    peers, torch_inception, inception_file, monkeypatch
):
    module = peers.pytorch_fid_inception
    state = torch_inception.state_dict()
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda *a, **k: state)
    network = module.InceptionV3([3]).eval()
    images = pictures()
    with peers.torch.no_grad():
        theirs = network(as_torch(peers, images) / 255)[0][:, :, 0, 0]
    ours = extract(images, inception_extractor(inception_file, "pytorch"))[0]
    assert relative(ours, theirs) < 1e-4
    other = extract(images, inception_extractor(inception_file))[0]
    assert relative(other, theirs) > 1e-2


@pytest.mark.slow
def test_clean_fids_way(peers, torch_inception, inception_file):
    """clean-fid resizes with Pillow, then runs the network without resizing."""
    images = pictures(2, 64)
    resize = peers.cleanfid_resize.build_resizer("clean")
    x = np.stack([resize(image) for image in images]).transpose(0, 3, 1, 2)
    # torch-fidelity's network takes uint8: give it the float image at full size.
    torch = peers.torch
    with torch.no_grad():
        body = torch.nn.Sequential(
            *(m for n, m in torch_inception.named_children() if n != "fc")
        )
        theirs = body(torch.from_numpy((x - 128) / 128).float())[:, :, 0, 0]
    ours = extract(images, inception_extractor(inception_file, "clean"))[0]
    assert relative(ours, theirs) < 1e-4


def test_weights_of_something_else():
    with pytest.raises(ValueError, match=r"'Conv2d_1a_3x3\.conv\.weight' is missing"):
        inception.set_weights(inception.build(), {"a": np.zeros(3)})


def test_parameters(torch_inception, inception_model):
    """A kernel and a bias for each convolution and its batch norm."""
    model = inception_model[0]
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    names = [name for x in convolutions for name in x.name.split("--")]
    assert len(names) == 94  # torchvision's Inception v3 has as many
    wanted = sum(
        tensor.numel()
        for name, tensor in torch_inception.state_dict().items()
        if name.startswith("fc.") or name.endswith(("conv.weight", "bn.bias"))
    )
    assert model.count_params() == wanted


def test_unknown_resizing(inception_file):
    with pytest.raises(ValueError, match="`resize_kind` must be one of"):
        inception_extractor(inception_file, "lanczos")
