"""From pictures to a served model: train, save, reload, generate, export, serve."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_sagan import SAGAN, data, sampling
from keras_sagan.models import Discriminator, Generator
from tests import helpers

COUNTS = (1, 7, 64)

# A user's process: two imports, and whatever they do.
GENERATE = """
import json, sys
import keras_sagan, keras
import numpy as np
gan = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[2], gan.generate(**json.loads(sys.argv[3])))
"""
# A server's process: TensorFlow only.
SERVE = """
import sys
sys.modules["keras"] = sys.modules["keras_sagan"] = sys.modules["tf_keras"] = None
import json
import numpy as np
import tensorflow as tf

def errors(**inputs):
    try:
        serve(**inputs)
    except tf.errors.InvalidArgumentError as error:
        return error.message
    return "none"

serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
rows = {name: tf.constant(value) for name, value in np.load(sys.argv[2]).items()}
images = {
    str(count): serve(**{name: value[:count] for name, value in rows.items()})["images"]
    for count in (1, 7, 64)
}
np.savez(sys.argv[3], **images)
messages = []
if "label" in rows:
    latent = rows["latent"][:2]
    for labels in ([0, 99], [-1, 0], [0], [0, 1, 0]):
        messages.append(errors(latent=latent, label=tf.constant(labels)))
try:
    import keras
    messages.append("keras can be imported")
except ImportError:
    pass
print(json.dumps(messages))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    cache = tmp_path_factory.mktemp("data")
    return data.load("glyphs", batch_size=4, cache_dir=str(cache))


@pytest.mark.slow
@pytest.mark.parametrize("conditional", [True, False], ids=["classes", "unconditional"])
def test_from_pictures_to_a_server(source, conditional, tmp_path):
    # Train
    num_classes = source.num_classes if conditional else None
    shared = {
        "image_size": source.image_size,
        "channels": source.channels,
        "num_classes": num_classes,
        "base_filters": 4,
    }
    gan = SAGAN(
        Generator(**shared, latent_dim=8),
        Discriminator(**shared),
        class_names=source.class_names if conditional else None,
    )
    gan.compile(ema_decay=0.5)
    stream = source.dataset
    if not conditional:
        stream = stream.map(lambda images, labels: images)
    history = gan.fit(stream, steps_per_epoch=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()

    # Save, and generate elsewhere
    count = COUNTS[-1]
    what = {"num_images": count, "seed": 3}
    if conditional:
        labels = [i % num_classes for i in range(count)]
        what = {"labels": labels, "seed": 3}
    images = gan.generate(**what)
    assert images.shape == (count, 32, 32, source.channels)
    gan.save(tmp_path / "gan.keras")
    helpers.run_python(
        GENERATE, tmp_path / "gan.keras", tmp_path / "images.npy", json.dumps(what)
    )
    helpers.assert_same_pixels(np.load(tmp_path / "images.npy"), images)
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.class_names == gan.class_names

    # Export the reloaded model, and serve it
    loaded.export(tmp_path / "gan" / "1")
    seeds = tf.range(3, 3 + count, dtype=tf.int64)
    latents = sampling.row_latents(seeds, 8, tf.zeros(count))
    rows = {"latent": latents, **({"label": np.int32(labels)} if conditional else {})}
    np.savez(tmp_path / "rows.npz", **rows)
    files = tmp_path / "rows.npz", tmp_path / "served.npz"
    messages = json.loads(helpers.run_python(SERVE, tmp_path / "gan" / "1", *files))
    served = np.load(tmp_path / "served.npz")
    for n in COUNTS:
        floats = served[str(n)]
        assert floats.dtype == np.float32
        helpers.assert_same_pixels(np.round(127.5 * (floats + 1)), images[:n])
    if conditional:
        assert len(messages) == 4
        assert all(f"label must be in [0, {num_classes})" in x for x in messages[:2])
        assert all("same length" in x for x in messages[2:])
    else:
        assert messages == []
