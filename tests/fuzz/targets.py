"""What is fuzzed: the readers of files that somebody else may have written.

A target takes bytes, puts them where the package would find them, and reads them. It
may return; or raise `ValueError` or `OSError` with a message that names the file.
Anything else is a defect, and is an exception of `check`.
"""

import contextlib
import hashlib
import io
import json
import pathlib
import tarfile

import keras
import numpy as np
from PIL import Image

from keras_sagan.cli.settings import parse_setting
from keras_sagan.config import run as config
from keras_sagan.config.presets import get_preset
from keras_sagan.data import decoding, images
from keras_sagan.data.sources import folder, webdataset
from keras_sagan.data.sources import npz as npz_source
from keras_sagan.files import hdf5_files, keras_files, torch_files
from keras_sagan.metrics import moments, protocol
from keras_sagan.runs import checkpoint_files, reading
from keras_sagan.training import saving
from tests import helpers
from tests.fuzz import mutations

IMAGE_SIZE = 16  # pixels
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
RUN = get_preset("sagan_32_small").run_config({"model.base_filters": 4})


class Defect(Exception):
    """A file led to something else than an explanation."""


def check(target, place, data):
    """Feeds one input to a target.

    Args:
        target: str, of `TARGETS`.
        place: path of a folder that the target may write to.
        data: bytes.

    Returns: bool. Whether it was read, rather than refused.

    Raises:
        Defect: if it was refused in any other way than with an explanation.
    """
    function, named = TARGETS[target]
    try:
        function(pathlib.Path(place), data)
    except (ValueError, OSError) as error:
        if named not in str(error):
            raise Defect(f"{named!r} is not in: {error!r:.500}") from error
        return False
    except Exception as error:
        raise Defect(f"{type(error).__name__}: {error!s:.500}") from error
    return True


def read_config(place, data):
    """`config.json` of a run."""
    (place / "config.json").write_bytes(data)
    with contextlib.suppress(ValueError, OSError):
        reading.read_run(place)
        reading.run_facts(place)
    found, _ = reading.read_config(place)
    assert config.RunConfig.from_dict(found.to_dict()) == found


def read_setting(place, data):
    """`--set` of the command line: one a line."""
    for line in data.decode(errors="replace").splitlines():
        name, value = parse_setting(line)
        RUN.override({name: value})


def read_preset(place, data):
    """`config.json` of a preset directory, up to where Keras builds it."""
    (place / "preset").mkdir(exist_ok=True)
    (place / "preset" / "config.json").write_bytes(data)
    weights_file = place / "preset" / saving.WEIGHTS
    if not weights_file.exists():
        with hdf5_files.h5py.File(weights_file, "w") as file:
            file["layer/vars/0"] = np.zeros(100_000, np.float32)
    saving.read_config(place / "preset")


def read_weights(place, data):
    """`model.weights.h5` of a preset directory."""
    (place / "model.weights.h5").write_bytes(data)
    hdf5_files.check(place / "model.weights.h5")


def read_manifest(place, data):
    """`checkpoint.json`; after "=" with a checksum that fits."""
    path = checkpoint_files.path_of(place / "checkpoints", 5)
    path.mkdir(parents=True, exist_ok=True)
    if data[:1] == b"=":
        try:
            body = json.loads(data[1:])
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            body["sha256"] = checkpoint_files._digest_of(body)
            data = json.dumps(body).encode()
    (path / checkpoint_files.MANIFEST).write_bytes(data)
    state = path / checkpoint_files.STATE
    if not state.exists():
        state.write_bytes(npz(x=np.arange(3.0)))
    checkpoint_files.read(place / "checkpoints", 5)


def read_state(place, data):
    """`state.npz` with a manifest whose checksum fits."""
    path = checkpoint_files.path_of(place / "states", 5)
    path.mkdir(parents=True, exist_ok=True)
    (path / checkpoint_files.STATE).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    body = {
        "format": checkpoint_files.FORMAT,
        "step": 5,
        "state": {"bytes": len(data), "sha256": digest},
        "details": {},
    }
    body["sha256"] = checkpoint_files._digest_of(body)
    (path / checkpoint_files.MANIFEST).write_text(json.dumps(body))
    checkpoint_files.read(place / "states", 5)


def read_picture(place, data):
    """A picture of a folder."""
    picture, _ = decoding.open_picture(io.BytesIO(data), "picture.png")
    images.to_array(picture, IMAGE_SIZE, 3)


def read_csv(place, data):
    """`labels.csv` of a folder."""
    _read_labels(place / "csv", "labels.csv", data)


def read_dataset_json(place, data):
    """`dataset.json` of a folder."""
    _read_labels(place / "json", "dataset.json", data)


def _read_labels(place, name, data):
    if not place.exists():
        (place / "a").mkdir(parents=True)
        for picture in ("1.png", "2.png", "a/3.png"):
            Image.new("L", (8, 8)).save(place / picture)
    (place / name).write_bytes(data)
    found = folder.open_pictures(place)
    if found.problems:
        raise ValueError(found.problems[0])
    assert found.class_names is None or len(found.class_names) > 0
    assert [p.label is None for p in found] == [found.class_names is None] * found.count


def read_arrays(place, data):
    """A data set `npz:PATH`."""
    (place / "data.npz").write_bytes(data)
    found = npz_source.open_pictures(place / "data.npz")
    for picture in found.rows(0, min(found.count, 3)):
        picture.decode(IMAGE_SIZE, 3, "crop")


def read_shard(place, data):
    """A WebDataset shard `wds:PATH`."""
    (place / "data.tar").write_bytes(data)
    found = webdataset.open_pictures(str(place / "data.tar"))
    for picture in found.rows(0, min(found.count, 3)):
        picture.decode(IMAGE_SIZE, 3, "crop")


def read_moments(place, data):
    """Reference statistics."""
    (place / "moments.npz").write_bytes(data)
    found = moments.Moments.load(place / "moments.npz")
    assert found.covariance.shape == (found.dimensions, found.dimensions)


def read_torch(place, data):
    """Weights of the FID network."""
    (place / "weights.pth").write_bytes(data)
    torch_files.read(place / "weights.pth")


def read_keras(place, data):
    """A `.keras` file, up to where Keras builds it."""
    (place / "model.keras").write_bytes(data)
    keras_files.check(place / "model.keras")


def read_result(place, data):
    """What `keras-sagan evaluate --json` wrote."""
    (place / "result.json").write_bytes(data)
    found = protocol.read_result(place / "result.json")
    protocol.differences(found["protocol"], {"real": {"name": "x"}})


# Reader, and what its messages must name.
TARGETS = {
    "config": (read_config, "config.json"),
    "setting": (read_setting, ""),
    "preset": (read_preset, "config.json"),
    "weights": (read_weights, "model.weights.h5"),
    "manifest": (read_manifest, "0000005"),
    "state": (read_state, "state.npz"),
    "picture": (read_picture, "picture.png"),
    "csv": (read_csv, "labels.csv"),
    "dataset_json": (read_dataset_json, "dataset.json"),
    "arrays": (read_arrays, "data.npz"),
    "shard": (read_shard, "data.tar"),
    "moments": (read_moments, "moments.npz"),
    "torch": (read_torch, "weights.pth"),
    "keras": (read_keras, "model.keras"),
    "result": (read_result, "result.json"),
}


# === Inputs to begin with ===


def seeds(target, place):
    """Files as they should be, to be changed: list of bytes.

    Args:
        target: str, of `TARGETS`.
        place: path of a folder to make them in.
    """
    return _SEEDS[target](pathlib.Path(place))


def npz(compressed=False, **arrays):
    """The bytes of an `.npz` file."""
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def _config_seeds(place):
    content = {**RUN.to_dict(), "versions": {"python": "3.11"}}
    return [json.dumps(content).encode()]


def _setting_seeds(place):
    lines = ["model.base_filters=32", "optimizer.epsilon=2e-4", "training.minutes=none"]
    lines += ["model.attention_resolutions=[16,32]", "data.dataset=folder:cats"]
    return ["\n".join(lines).encode(), *(line.encode() for line in lines)]


def _preset_seeds(place):
    gan = helpers.tiny_gan(attention=False)
    gan.compile()
    content = keras.saving.serialize_keras_object(gan)
    return [json.dumps(content).encode()]


def _weights_seeds(place):
    def content(**options):
        path = place / "seed.h5"
        with hdf5_files.h5py.File(path, "w", **options) as file:
            file["layers/a/vars/0"] = np.zeros((4, 5), np.float32)
            file["layers/a/vars"].attrs["name"] = "a"
            file["step"] = np.int64(3)
        return path.read_bytes()

    layer = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    layer.save_weights(place / "seed.weights.h5")
    keras_file = (place / "seed.weights.h5").read_bytes()
    return [content(), content(libver="latest"), keras_file]


def _manifest_seeds(place):
    state = npz(x=np.arange(3.0))
    body = {
        "format": 1,
        "step": 5,
        "state": {"bytes": len(state), "sha256": hashlib.sha256(state).hexdigest()},
        "details": {"seconds": 1.5, "class_names": ["a", "b"]},
    }
    sealed = {**body, "sha256": checkpoint_files._digest_of(body)}
    return [json.dumps(sealed).encode(), b"=" + json.dumps(body).encode()]


def _state_seeds(place):
    state = {"model/0000/kernel": np.ones((3, 4), np.float32), "step": np.int64(3)}
    return [npz(**state), npz(True, **state)]


def _picture_seeds(place):
    found = []
    for mode in ("RGB", "L", "RGBA", "P", "1", "CMYK", "I;16"):
        for kind in FORMATS:
            file = io.BytesIO()
            try:
                Image.new(mode, (9, 7)).save(file, kind)
            except (OSError, ValueError):  # not a mode of this format
                continue
            found.append(file.getvalue())
    return found


def _csv_seeds(place):
    return [b"file,label\n1.png,x\n2.png,y\na/3.png,x\n", b'file,label\n"1.png",7\n']


def _dataset_seeds(place):
    labels = [["1.png", 0], ["2.png", 1], ["a/3.png", 0]]
    return [json.dumps({"labels": x}).encode() for x in (labels, None)]


def _arrays_seeds(place):
    pixels = np.zeros((3, 8, 8, 3), np.uint8)
    rest = {"labels": np.arange(3), "class_names": np.array(["a", "b", "c"])}
    floats = np.full((2, 4, 4), -0.5, np.float32)
    return [npz(images=pixels, **rest), npz(True, images=pixels), npz(images=floats)]


def _shard_seeds(place):
    found = []
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        file, picture = io.BytesIO(), io.BytesIO()
        Image.new("L", (8, 8)).save(picture, "PNG")
        with tarfile.open(fileobj=file, mode="w", format=form) as archive:
            for name in ("1", "2", "x" * 150):
                for end, content in (("png", picture.getvalue()), ("cls", b"1")):
                    entry = tarfile.TarInfo(f"{name}.{end}")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        found.append(file.getvalue())
    return found


def _moments_seeds(place):
    arrays = {"mu": np.zeros(3), "sigma": np.eye(3)}
    more = {"count": np.array(10), "protocol": np.array('{"real": {"name": "x"}}')}
    return [npz(**arrays), npz(**arrays, **more), npz(True, **arrays)]


def _torch_seeds(place):
    import torch

    state = {"a.weight": torch.zeros(3, 2), "b.bias": torch.zeros(4).double()}
    found = []
    for new in (True, False):
        file = io.BytesIO()
        torch.save(state, file, _use_new_zipfile_serialization=new)
        found.append(file.getvalue())
    return found


def _keras_seeds(place):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.save(place / "seed.keras")
    whole = place / "seed.keras"
    return [whole.read_bytes()]


def _result_seeds(place):
    content = {"scores": {"fid": 1.0}, "protocol": {"real": {"name": "x"}}}
    return [json.dumps(content).encode()]


_SEEDS = {
    "config": _config_seeds,
    "setting": _setting_seeds,
    "preset": _preset_seeds,
    "weights": _weights_seeds,
    "manifest": _manifest_seeds,
    "state": _state_seeds,
    "picture": _picture_seeds,
    "csv": _csv_seeds,
    "dataset_json": _dataset_seeds,
    "arrays": _arrays_seeds,
    "shard": _shard_seeds,
    "moments": _moments_seeds,
    "torch": _torch_seeds,
    "keras": _keras_seeds,
    "result": _result_seeds,
}
# Changed as what they are, with checksums that fit.
ARCHIVES = ("state", "arrays", "moments", "torch", "keras")
JSON = ("config", "preset", "manifest", "dataset_json", "result")


def change(target, data, chance, change_bytes=mutations.change_bytes):
    """An input with something changed, mostly where it leaves the file readable.

    Args:
        target: str, of `TARGETS`.
        data: bytes.
        chance: `random.Random`.
        change_bytes: as `mutations.change_bytes`.
    """
    if chance.random() < 0.3:
        return change_bytes(data, chance)
    try:
        if target in ARCHIVES:
            return mutations.change_archive(data, chance, change_bytes)
        if target in JSON:
            mark = data[:1] if data[:1] == b"=" else b""
            return mark + mutations.change_json(data[len(mark) :], chance)
    except Exception:  # changed so far that it is none any more
        return change_bytes(data, chance)
    return change_bytes(data, chance)
