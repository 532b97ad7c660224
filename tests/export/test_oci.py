"""OCI image layouts, read with `json`, `hashlib` and `tarfile` only."""

import hashlib
import json
import shutil
import tarfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from keras_sagan.export.oci import bill_of_materials, export_oci
from tests.helpers import ROOT

MODEL = ROOT / "saved_models" / "glyphs" / "1"


def copy_model(folder):
    shutil.copytree(MODEL, folder, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oci") / "image"
    export_oci(copy_model, folder)
    return folder


def blob(layout, descriptor):
    """A blob's path, once its size and digest have been checked."""
    algorithm, digest = descriptor["digest"].split(":")
    path = layout / "blobs" / algorithm / digest
    content = path.read_bytes()
    assert len(content) == descriptor["size"]
    assert hashlib.new(algorithm, content).hexdigest() == digest
    return path


def manifests(layout):
    """Platform, manifest and configuration of each image of the layout."""
    (image,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert image["annotations"]["org.opencontainers.image.ref.name"] == "latest"
    for entry in json.loads(blob(layout, image).read_text())["manifests"]:
        manifest = json.loads(blob(layout, entry).read_text())
        config = json.loads(blob(layout, manifest["config"]).read_text())
        yield entry["platform"], manifest, config


def files_of(path):
    with tarfile.open(path) as tar:
        return {
            x.name: tar.extractfile(x).read() for x in tar.getmembers() if x.isfile()
        }


def test_the_layout(layout):
    assert sorted(x.name for x in layout.iterdir()) == [
        *("blobs", "index.json", "oci-layout")
    ]
    version = json.loads((layout / "oci-layout").read_text())
    assert version == {"imageLayoutVersion": "1.0.0"}
    found = list(manifests(layout))
    assert [platform["architecture"] for platform, _, _ in found] == ["amd64", "arm64"]
    used = set()
    for platform, manifest, config in found:
        assert {name: config[name] for name in ("architecture", "os")} == platform
        assert manifest["annotations"]["org.opencontainers.image.title"] == "glyphs"
        layers = [blob(layout, x) for x in manifest["layers"]]
        used |= {path.name for path in layers}
        # the first one is the base image's, and compressed
        digests = [f"sha256:{path.name}" for path in layers[1:]]
        assert config["rootfs"]["diff_ids"][1:] == digests
    blobs = list((layout / "blobs" / "sha256").iterdir())
    assert len(blobs) == len(used) + 5  # an index, two manifests, two configurations


def test_the_files_are_the_models(layout):
    wanted = {
        f"models/1/{path.relative_to(MODEL)}": path.read_bytes()
        for path in MODEL.rglob("*")
        if path.is_file()
    }
    for _, manifest, _ in manifests(layout):
        layers = [files_of(blob(layout, x)) for x in manifest["layers"]]
        assert list(layers[0]) == ["bin/link-model-and-wait"]
        assert all(len(files) == 1 for files in layers)
        files = {name: x for layer in layers[1:] for name, x in layer.items()}
        del files["models/sbom.cdx.json"]
        assert files == wanted


def test_the_bill_of_materials(layout):
    _, manifest, _ = next(manifests(layout))
    (text,) = files_of(blob(layout, manifest["layers"][-1])).values()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.decode()) is None
    bill = json.loads(text)
    model = bill["metadata"]["component"]
    assert (model["name"], model["type"]) == ("glyphs", "machine-learning-model")
    card = json.loads((MODEL / "assets.extra" / "model.json").read_text())
    assert model["licenses"] == [{"license": {"id": card["license"]}}]
    hashes = {x["name"]: x["hashes"] for x in bill["components"] if x["type"] == "file"}
    assert hashes == {
        f"1/{path.relative_to(MODEL)}": [
            {"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}
        ]
        for path in MODEL.rglob("*")
        if path.is_file()
    }
    packages = {
        x["name"]: x["version"] for x in bill["components"] if x["type"] == "library"
    }
    assert packages.pop("modelcar-base-image")
    assert packages == card["versions"]


@pytest.mark.parametrize("license", [None, "my own terms"])
def test_what_a_card_may_lack(tmp_path, license):
    model = tmp_path / "1"
    copy_model(model)
    text = bill_of_materials(model, "a name", {"license": license})
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    component = json.loads(text)["metadata"]["component"]
    assert component["name"] == "a name"
    names = [{"license": {"name": license}}] if license else None
    assert component.get("licenses") == names


def test_nothing_is_left_behind(tmp_path):
    def refuse(path):
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        export_oci(refuse, tmp_path / "image")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="is there already"):
        export_oci(copy_model, tmp_path)
