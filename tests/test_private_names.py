"""Private names of other packages that this one uses: all of them, and why.

A private name may vanish in any release of its package. Where one is used, nothing
public does the same; this list is the only place to look when a new version of Keras
or TensorFlow breaks something.
"""

import ast
import importlib
import pathlib

import keras
import pytest
import tensorflow as tf

PACKAGE = pathlib.Path(__file__).parent.parent / "keras_sagan"
# Methods of named tuples: documented, private by their spelling only.
DOCUMENTED = {"_replace", "_asdict", "_exit"}

# name: (where it lives, modules that use it, why)
PRIVATE = {
    "_flatten_layers": (
        lambda: keras.Layer,
        {
            "layers/spectral_normalization.py",
            "models/architectures.py",
            "training/ema.py",
        },
        "the layers of a model with those inside other layers; Keras lists only the "
        "outermost publicly",
    ),
    "_make_function": (
        lambda: (
            importlib.import_module(
                "keras.src.backend.tensorflow.trainer"
            ).TensorFlowTrainer
        ),
        {"distributed/model.py"},
        "several workers: logs must be packed and the wish to stop shared inside the "
        "compiled step (keras issue 20585)",
    ),
    "_moments": (
        lambda: keras.layers.BatchNormalization,
        {"layers/batch_normalization.py"},
        "batch moments that do not depend on how replicas share the batch",
    ),
    "_add_control_input": (
        lambda: tf.Operation,
        {"training/optimizers.py"},
        "gradients of kernels before those of the layers below, which lets go of "
        "activations early; tf.control_dependencies orders new operations only",
    ),
    "_functions": (
        lambda: tf.data.Dataset,
        {"training/inputs.py"},
        "whether a data set reads a Python generator, of which looking at the first "
        "batch would take it",
    ),
    "_inputs": (
        lambda: tf.data.Dataset,
        {"training/inputs.py"},
        "the data sets that one is made from, for the same question",
    ),
    "_Unpickler": (
        lambda: importlib.import_module("pickle"),
        {"files/torch_files.py"},
        "the unpickler written in Python: C's fills memory up to any place that a "
        "file names",
    ),
}


def private_names():
    """Pairs of a private attribute of something else and the module that uses it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"self", "cls"}
        } | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute):
                continue
            base = ast.unparse(node.value)
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            inherited = base == "super()"
            ours = base in {"self", "cls"} or (node.attr in own and not inherited)
            if private and not ours and node.attr not in DOCUMENTED:
                yield node.attr, path.relative_to(PACKAGE).as_posix()


def test_the_list_is_complete():
    used = {}
    for name, module in private_names():
        used.setdefault(name, set()).add(module)
    assert used == {name: modules for name, (_, modules, _) in PRIVATE.items()}


@pytest.mark.parametrize("name", PRIVATE)
def test_they_are_still_there(name):
    owner, _, reason = PRIVATE[name]
    assert callable(getattr(owner(), name)), reason


def test_no_module_imports_what_keras_and_tensorflow_keep_to_themselves():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "keras.src" not in text and "tensorflow.python" not in text, path
