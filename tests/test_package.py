"""The package as it is installed and imported: measured in processes of their own."""

import importlib
import inspect
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import zipfile

import pytest

import keras_sagan

ROOT = pathlib.Path(__file__).parent.parent


def python(code, cwd=None, **environment):
    """Runs `code` and returns what it prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


HEAVY = (
    "[m for m in ('tensorflow', 'keras', 'jax', 'PIL', 'numpy') if m in sys.modules]"
)


@pytest.mark.parametrize(
    "code",
    [
        "import keras_sagan",
        "import keras_sagan.config, keras_sagan.config.presets",
        "import keras_sagan.data, keras_sagan.layers, keras_sagan.models",
        "import keras_sagan.training, keras_sagan.export, keras_sagan.visualize",
        "import keras_sagan.cli.main; keras_sagan.cli.main.build_parser()",
    ],
)
def test_import_is_light(code):
    assert python(f"import sys, json; {code}; print(json.dumps({HEAVY}))") == []


@pytest.mark.parametrize(
    "arguments", [["-c", "import keras_sagan"], ["-m", "keras_sagan", "--help"]]
)
def test_import_and_help_take_less_than_half_a_second(arguments):
    def cpu_seconds():  # the same as elapsed ones where nothing else runs
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL
        )
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime

    assert min(cpu_seconds() for _ in range(3)) < 0.5


REGISTERED = """
import json
{imports}
names = [
    name.partition(">")[2]
    for name in keras.saving.get_custom_objects() if name.startswith("keras_sagan>")
]
print(json.dumps(sorted(names)))
"""
BACKEND_AGNOSTIC = {
    "ConditionalBatchNormalization",
    "Discriminator",
    "DownsampleConv2D",
    "Generator",
    "SelfAttention2D",
    "SpectralNormalization",
    "UpsampleConv2D",
}


@pytest.mark.parametrize(
    "imports",
    [
        # A module of the package is what imports Keras, and is then half-imported.
        "import keras_sagan.models.blocks; import keras",
        *(
            pytest.param(imports, marks=pytest.mark.slow)
            for imports in [
                "import keras; import keras_sagan",
                "from keras_sagan import SAGAN; import keras",
                "import keras_sagan, keras",
                "import keras_sagan, tensorflow as tf; tf.keras.layers; import keras",
                "import keras_sagan.layers.self_attention; import keras",
                "import keras_sagan.training.steps; import keras",
                "import keras_sagan.runs.run; import keras",
                "import keras_sagan.export.saved_model; import keras",
            ]
        ),
    ],
)
def test_classes_are_registered_in_any_order(imports):
    names = python(REGISTERED.format(imports=imports))
    assert {*BACKEND_AGNOSTIC, "SAGAN"} <= set(names)


def test_registration_waits_for_keras():
    code = "import sys, json, keras_sagan.config.presets; "
    modules = "[m for m in sys.modules if m.startswith('keras_sagan.layers')]"
    assert python(f"{code} print(json.dumps({modules}))") == []


JAX = """
import json, sys, keras_sagan as ks, keras
agnostic = [name for name in %r if keras.saving.get_registered_object(
    "keras_sagan>" + name) is None]
try:
    ks.SAGAN
except ImportError as error:
    message = str(error)
print(json.dumps([agnostic, "tensorflow" in sys.modules, message]))
"""


def test_sagan_under_another_backend_is_a_clear_error():
    missing, tensorflow, message = python(
        JAX % sorted(BACKEND_AGNOSTIC), KERAS_BACKEND="jax"
    )
    assert missing == []
    assert not tensorflow
    assert "KERAS_BACKEND=tensorflow" in message and "'jax'" in message


def test_public_names_can_all_be_had():
    for name in keras_sagan.__all__:
        package = getattr(keras_sagan, name)
        for inner in getattr(package, "__all__", ()):
            assert getattr(package, inner) is not None
    assert {"SAGAN", "data", "layers", "models"} <= set(dir(keras_sagan))


@pytest.mark.parametrize(
    "name", ["export", "interop", "layers", "metrics", "models", "visualize"]
)
def test_public_calls_are_annotated(name):
    package = importlib.import_module(f"keras_sagan.{name}")
    for public in [getattr(package, x) for x in package.__all__] + [keras_sagan.SAGAN]:
        call = public.__init__ if isinstance(public, type) else public
        if not getattr(call, "__module__", "").startswith("keras_sagan"):
            continue  # of an exception or a named tuple
        signature = inspect.signature(call)
        types = [
            x.annotation for x in signature.parameters.values() if x.name != "self"
        ]
        assert inspect.Signature.empty not in [*types, signature.return_annotation]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="SAGON"):
        _ = keras_sagan.SAGON


@pytest.mark.slow
def test_wheel_holds_the_package_and_imports_from_elsewhere(tmp_path):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source = tmp_path / "source"  # the build writes beside what it reads
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "keras_sagan"):
        (source / name).symlink_to(ROOT / name)
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, source],
        check=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name == f"keras_sagan-{keras_sagan.__version__}-py3-none-any.whl"
    packed = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "keras_sagan").rglob("*.py"):
        assert path.relative_to(ROOT).as_posix() in packed
    assert not [name for name in packed if name.startswith("tests")]

    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
    code = "import json, keras_sagan; print(json.dumps(keras_sagan.__file__))"
    imported = python(code, cwd=tmp_path, PYTHONPATH=str(site))
    assert imported == str(site / "keras_sagan" / "__init__.py")
    done = subprocess.run(
        [site / "bin" / "keras-sagan", "--version"],
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"keras-sagan {keras_sagan.__version__}\n"


def test_pages_that_the_sources_name_exist():
    named = {
        (str(path.relative_to(ROOT)), page)
        for path in (ROOT / "keras_sagan").rglob("*.py")
        for page in re.findall(r"docs/[\w/-]+\.md", path.read_text(encoding="utf-8"))
    }
    assert named
    assert {
        (path, page) for path, page in named if not (ROOT / page).is_file()
    } == set()
