"""The layout and the direction of imports: who may import whom."""

import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parent.parent / "keras_sagan"
TESTS = pathlib.Path(__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# What each part may import of the others. A part is a package or a module of the top
# level; it may always import itself.
MAY_IMPORT = {
    "__init__": {"_registration"},
    "__main__": {"cli"},
    "_registration": set(),
    "versions": {"__init__"},
    "config": set(),
    "files": set(),
    "losses": set(),
    "listening": set(),
    "sampling": set(),
    "layers": set(),
    "models": {"config", "layers"},
    "distributed": {"listening", "versions"},
    "data": {"files"},
    "serving": {"listening"},
    "visualize": {"listening"},
    "export": {"files", "layers", "models", "sampling", "versions"},
    "metrics": {"distributed", "files", "versions"},
    "training": {
        "config",
        "data",
        "distributed",
        "export",
        "files",
        "layers",
        "losses",
        "models",
        "sampling",
        "versions",
    },
    "interop": {"files", "layers", "models", "training"},
    "callbacks": {"files", "metrics", "training", "visualize"},
    "runs": {
        "callbacks",
        "config",
        "data",
        "distributed",
        "export",
        "files",
        "metrics",
        "models",
        "training",
        "versions",
        "visualize",
    },
    "cli": {
        "callbacks",
        "config",
        "data",
        "distributed",
        "export",
        "files",
        "interop",
        "listening",
        "metrics",
        "models",
        "runs",
        "sampling",
        "serving",
        "training",
        "versions",
        "visualize",
    },
}
# Parts that run on every Keras backend, and parts that need Keras neither.
WITHOUT_TENSORFLOW = {"layers", "models", "losses"}
WITHOUT_KERAS = {"_registration", "config", "listening", "visualize"}

# Modules without behaviour of their own beyond what another file's tests cover.
TESTED_ELSEWHERE = {
    "_registration.py": "test_package.py",
    "config/data.py": "config/test_run.py",
    "config/evaluation.py": "config/test_run.py",
    "config/section.py": "config/test_run.py",
    "versions.py": "training/test_saving.py",
    "__main__.py": "test_package.py",
}


def name(path):
    return path.relative_to(PACKAGE).as_posix()


def part(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """Dotted names that a module imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_imported(path):
    for dotted in imported(path):
        first, _, rest = dotted.partition(".")
        if first == "keras_sagan" and rest and rest != "__version__":
            yield rest.partition(".")[0]


def test_every_part_is_in_the_table():
    assert {part(path) for path in MODULES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_point_one_way(path):
    allowed = MAY_IMPORT[part(path)] | {part(path)}
    assert set(parts_imported(path)) <= allowed


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_backends(path):
    packages = {dotted.partition(".")[0] for dotted in imported(path)}
    if part(path) in WITHOUT_TENSORFLOW | WITHOUT_KERAS:
        assert "tensorflow" not in packages
    if part(path) in WITHOUT_KERAS:
        assert "keras" not in packages


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_are_short_and_have_a_subject(path):
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    assert lines <= 400
    assert ast.get_docstring(ast.parse(text)), "the first line says what it is for"
    assert path.stem not in {"utils", "util", "common", "helpers", "misc"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name != "__init__.py"], ids=name
)
def test_every_module_has_its_test_file(path):
    relative = path.relative_to(PACKAGE)
    mirrored = relative.with_name(f"test_{relative.name}").as_posix()
    test = TESTED_ELSEWHERE.get(relative.as_posix(), mirrored)
    assert (TESTS / test).is_file(), f"tests/{test} is missing"


def test_packages_have_an_init_file():
    for folder in {path.parent for path in MODULES}:
        assert (folder / "__init__.py").is_file(), f"{folder.name} would not be packed"
