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
latent = rows["latent"][:2]
messages = [
    errors(latent=latent, label=tf.constant(labels))
    for labels in ([0, 99], [-1, 0], [0], [0, 1, 0])
]
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
def test_from_pictures_to_a_server(source, tmp_path):
    # Train
    shared = {
        "image_size": source.image_size,
        "channels": source.channels,
        "num_classes": source.num_classes,
        "base_filters": 4,
    }
    gan = SAGAN(
        Generator(**shared, latent_dim=8),
        Discriminator(**shared),
        class_names=source.class_names,
    )
    gan.compile(ema_decay=0.5)
    history = gan.fit(source.dataset, steps_per_epoch=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()

    # Save, and generate elsewhere
    count = COUNTS[-1]
    labels = [i % source.num_classes for i in range(count)]
    images = gan.generate(labels=labels, seed=3)
    assert images.shape == (count, 32, 32, source.channels)
    file, drawn = tmp_path / "gan.keras", tmp_path / "images.npy"
    gan.save(file)
    what = {"labels": labels, "seed": 3}
    helpers.run_python(GENERATE, file, drawn, json.dumps(what))
    helpers.assert_same_pixels(np.load(drawn), images)
    loaded = keras.saving.load_model(file)
    assert loaded.class_names == source.class_names

    # Export the reloaded model, and serve it
    loaded.export(tmp_path / "gan" / "1")
    seeds = tf.range(3, 3 + count, dtype=tf.int64)
    latents = sampling.row_latents(seeds, 8, tf.zeros(count))
    np.savez(tmp_path / "rows.npz", latent=latents, label=np.int32(labels))
    files = tmp_path / "rows.npz", tmp_path / "served.npz"
    messages = json.loads(helpers.run_python(SERVE, tmp_path / "gan" / "1", *files))
    served = np.load(tmp_path / "served.npz")
    for n in COUNTS:
        floats = served[str(n)]
        assert floats.dtype == np.float32
        helpers.assert_same_pixels(np.round(127.5 * (floats + 1)), images[:n])
    assert len(messages) == 4
    allowed = f"label must be in [0, {source.num_classes})"
    assert all(allowed in message for message in messages[:2])
    assert all("same length" in message for message in messages[2:])
