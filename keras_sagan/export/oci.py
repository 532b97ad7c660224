"""Container images of exported models, as OCI image layouts.

What such an image holds is mounted, not run: by KServe, or as a volume of Kubernetes.
"""

import hashlib
import importlib.metadata
import os
import pathlib
import typing

from keras_sagan.export.card import read_card
from keras_sagan.export.saved_model import EXTRA
from keras_sagan.extras import MissingExtraError
from keras_sagan.files import paths, writing

VERSION, BILL = "1", "sbom.cdx.json"

_BASE = "modelcar-base-image"
_WRITERS = ("keras_sagan", "keras", "tensorflow")  # of the versions in a model card


def export_oci(
    write: typing.Callable[[pathlib.Path], None], directory: str | os.PathLike
) -> None:
    """Writes an OCI image layout with a SavedModel and its bill of materials.

    The image has the SavedModel in `/models/1`, where KServe and TensorFlow Serving
    look for it, and `/models/sbom.cdx.json`, each file in a layer of its own. Below
    them is the base image that Open Data Hub makes for KServe's modelcars, for amd64
    and arm64. The layout is complete or not there at all.

    Args:
        write: function that writes the SavedModel to an empty directory, whose path it
            is given. What it raises leaves nothing behind.
        directory: str or path of a directory that does not exist or is empty.

    Raises:
        ImportError: without the extra `oci`.
        FileExistsError: if there is something already.
    """
    directory = paths.local(directory).absolute()
    try:
        from modelcar_base_image.embedded_oci_layout import embedded_oci_layout
        from olot.basics import oci_layers_on_top
    except ImportError as error:
        raise MissingExtraError(f"An OCI image ({error})", "oci") from error

    def lay_out(layout):
        with writing.unfinished(layout / VERSION) as model:
            model.mkdir()
            write(model)
            card = read_card(model / EXTRA)
            title = card.get("name", directory.name)
            bill = model.with_name(BILL)
            writing.write_new(bill, bill_of_materials(model, title, card))
            embedded_oci_layout(layout)
            oci_layers_on_top(
                layout,
                [*_files(model), bill],
                root_dir=model.parent,
                annotations={"org.opencontainers.image.title": title},
            )

    writing.create_folder(directory, lay_out)


def bill_of_materials(model: pathlib.Path, name: str, card: dict) -> str:
    """Lists a folder's files with SHA-256 and the packages that wrote it, as CycloneDX.

    Args:
        model: path of the folder.
        name: str. Name of the model.
        card: dict. Model card, or {}.

    Returns: text of JSON, CycloneDX 1.6.

    Raises:
        ImportError: without the extra `oci`.
    """
    try:
        from cyclonedx.contrib.license.factories import LicenseFactory
        from cyclonedx.model import HashAlgorithm, HashType
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
        from packageurl import PackageURL
    except ImportError as error:
        raise MissingExtraError(f"A bill of materials ({error})", "oci") from error

    def of_file(path):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        where = path.relative_to(model.parent).as_posix()
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest)]
        return Component(
            name=where, bom_ref=where, type=ComponentType.FILE, hashes=hashes
        )

    def of_package(package, version):
        url = PackageURL("pypi", name=package, version=version)
        return Component(name=package, version=version, purl=url, bom_ref=str(url))

    license, versions = card.get("license"), card.get("versions", {})
    whole = Component(
        name=name,
        bom_ref="model",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        licenses=[LicenseFactory().make_from_string(license)] if license else [],
    )
    parts = [of_file(path) for path in _files(model)]
    parts += [of_package(x, versions[x]) for x in _WRITERS if x in versions]
    parts += [of_package(_BASE, importlib.metadata.version(_BASE))]
    bill = Bom(components=parts)
    bill.metadata.component = whole
    bill.register_dependency(whole, parts)
    return JsonV1Dot6(bill).output_as_string(indent=2)


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())
