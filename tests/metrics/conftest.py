"""The reference packages, and features and networks to compare on."""

import collections
import types
import warnings

import keras
import numpy as np
import pytest

from benchmarks.metrics import torchvision_operators
from keras_sagan.metrics.extractors import inception_weights
from keras_sagan.metrics.extractors.extractor import Extractor


@pytest.fixture(scope="session")
def peers():
    """The modules of torch-fidelity, pytorch-fid, clean-fid and prdc that are used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = torchvision_operators()
        import cleanfid.fid
        import cleanfid.resize
        import prdc
        import pytorch_fid.fid_score
        import pytorch_fid.inception
        import torch
        import torch_fidelity
        import torch_fidelity.feature_extractor_inceptionv3
        import torch_fidelity.metric_fid
        import torch_fidelity.metric_isc
        import torch_fidelity.metric_kid
        import torch_fidelity.metric_prc
    return types.SimpleNamespace(
        torch=torch,
        torch_fidelity=torch_fidelity,
        inceptionv3=torch_fidelity.feature_extractor_inceptionv3,
        pytorch_fid=pytorch_fid.fid_score,
        pytorch_fid_inception=pytorch_fid.inception,
        cleanfid=cleanfid.fid,
        cleanfid_resize=cleanfid.resize,
        prdc=prdc,
        library=library,
    )


def correlated(generator, count, dimensions, shift=0.0):
    """Features as networks give them: correlated, not negative, far from zero."""
    mixing = generator.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    x = generator.normal(size=(count, dimensions)) @ mixing + 0.3 * shift + 0.5
    return np.maximum(x, 0).astype(np.float32)


@pytest.fixture(scope="session")
def feature_sets():
    """Two sets of features, 600 and 500 images, 48 dimensions."""
    generator = np.random.default_rng(0)
    return correlated(generator, 600, 48), correlated(generator, 500, 48, 1.0)


@pytest.fixture(scope="session")
def torch_inception(peers):
    """torch-fidelity's network with random weights that keep activations in range."""
    torch, module = peers.torch, peers.inceptionv3
    network = module.FeatureExtractorInceptionV3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda *a, **k: {})
        patch.setattr(network, "load_state_dict", lambda self, state: None)
        made = network("random", ["2048", "logits_unbiased", "logits"])
    generator = torch.Generator().manual_seed(1)
    for part in made.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight, generator=generator)
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            part.weight.data.uniform_(0.7, 1.5, generator=generator)
            part.bias.data.normal_(0, 0.3, generator=generator)
    return made


@pytest.fixture(scope="session")
def inception_file(peers, torch_inception, tmp_path_factory):
    """Its weights as a file, named as those of the published one."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    peers.torch.save(torch_inception.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def inception_model(inception_file):
    """The Keras network with those weights, and the file's SHA-256."""
    return inception_weights.load(inception_file)


@pytest.fixture
def inception_built_once(inception_model, inception_file, monkeypatch):
    """Opening the file again takes the network that is there."""
    load = inception_weights.load

    def load_once(path=None, cache_dir=None):
        return inception_model if path == inception_file else load(path, cache_dir)

    monkeypatch.setattr(inception_weights, "load", load_once)


@pytest.fixture
def mean_extractor():
    """Features that are quick to compute: channel means of the image's quarters."""
    import tensorflow as tf

    def function(images):
        x = tf.cast(images, tf.float32) / 255
        pooled = tf.nn.avg_pool2d(x, x.shape[1] // 2, x.shape[1] // 2, "VALID")
        return tf.reshape(pooled, [len(images), -1]), None

    return Extractor("quarters", "0" * 64, "none", "x/255", function, channels=3)


@pytest.fixture(scope="session")
def pictures():
    """Pictures of two classes, dark and bright: uint8 (80, 32, 32, 3), labels."""
    generator = np.random.default_rng(0)
    labels = np.arange(80) % 2
    base = np.where(labels == 0, 60, 180)[:, None, None, None]
    noise = generator.normal(0, 25, (80, 32, 32, 3))
    shade = generator.normal(0, 20, (80, 1, 1, 3))
    images = np.clip(base + noise + shade, 0, 255).astype(np.uint8)
    return collections.namedtuple("Pictures", "images labels")(images, labels)


@pytest.fixture(scope="session")
def small_network():
    """An untrained Keras model of 16 x 16 images with a layer "features"."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="features"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
