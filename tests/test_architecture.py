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
    "files": {"extras"},
    "losses": {"config"},
    "listening": set(),
    "progress": set(),
    "extras": set(),
    "hub": {"__init__", "extras"},
    "sampling": set(),
    "layers": set(),
    "models": {"config", "layers"},
    "distributed": {"files", "listening", "versions"},
    "data": {"extras", "files", "progress"},
    "serving": {"extras", "listening"},
    "visualize": {"files", "listening"},
    "export": {"extras", "files", "layers", "models", "sampling", "versions"},
    "metrics": {"distributed", "extras", "files", "progress", "versions"},
    "training": {
        "config",
        "distributed",
        "export",
        "files",
        "hub",
        "layers",
        "losses",
        "models",
        "sampling",
        "versions",
    },
    "sagan": {"config", "export", "training"},
    "interop": {"files", "layers", "models", "sagan"},
    "callbacks": {"files", "metrics", "progress", "training", "visualize"},
    "runs": {
        "callbacks",
        "config",
        "data",
        "distributed",
        "export",
        "files",
        "hub",
        "losses",
        "metrics",
        "models",
        "sagan",
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
        "extras",
        "files",
        "hub",
        "interop",
        "listening",
        "metrics",
        "models",
        "progress",
        "runs",
        "sagan",
        "sampling",
        "serving",
        "training",
        "versions",
        "visualize",
    },
}
# Parts that run on every Keras backend, and parts that need Keras neither.
WITHOUT_TENSORFLOW = {"layers", "models", "losses"}
WITHOUT_KERAS = {"_registration", "config", "extras", "hub", "listening", "visualize"}

# The calls that could write, name or rename a file, outside of `files.writing`.
WRITES_ITSELF = {
    "callbacks/event_files.py": {
        "TFRecordWriter",  # at the path that `files.writing` gives
        "create_file_writer",  # TensorBoard's log, which grows
    },
    "callbacks/metrics_log.py": {"open"},  # appends a row
    "cli/commands/evaluate.py": {"save"},  # of `Moments`
    "cli/startup.py": {"TemporaryFile"},  # what a library prints, for this process
    "data/plain_png.py": {"save"},  # in memory
    "data/preparing/preparation.py": {"replace"},  # in the folder without a name yet
    "data/preparing/shard_files.py": {
        "ArrayRecordWriter",  # shards: the journal says which are whole
        "save",  # in memory
    },
    "data/sources/record_index.py": {"savez"},  # in memory
    "data/storage.py": {"TemporaryFile", "TemporaryDirectory"},  # of this process
    "export/litert.py": {"TemporaryDirectory", "save"},  # on the way to the file
    "export/saved_model.py": {"TFRecordWriter", "save"},  # in the published folder
    "export/verifying/verification.py": {"TemporaryDirectory", "savez"},  # requests
    "files/keras_files.py": {"TemporaryDirectory", "open"},  # a copy to look into
    "files/streams.py": {"open"},  # /dev/null, for a standard stream that is closed
    "metrics/extractors/classifier.py": {"save"},  # to the path of `files.writing`
    "metrics/moments.py": {"savez"},  # in memory
    "runs/checkpoint_files.py": {"savez"},  # in the folder that is published
    "sagan.py": {"save"},  # of `training.saving`
    "training/saving.py": {"save_weights"},  # in the folder that is published
    "visualize/embedded_pictures.py": {"save"},  # in memory
    "visualize/files.py": {"save"},  # to the path that `files.writing` gives
}
WRITERS = {
    *("write_text", "write_bytes", "touch", "tofile", "savez", "savez_compressed"),
    *(
        "save_weights",
        "TFRecordWriter",
        "ArrayRecordWriter",
        "create_file_writer",
        "link",
        "symlink",
    ),
    *("rename", "renames", "symlink_to", "hardlink_to", "mkstemp", "mkdtemp"),
    *("TemporaryFile", "NamedTemporaryFile", "TemporaryDirectory"),
}

# Readers that take whatever a file says. The bounded ones in `files` stand for
# them; what calls them elsewhere, and why that may be.
UNBOUNDED = {
    "json.load",
    "json.loads",
    "h5py.File",
    "numpy.fromfile",
    "numpy.load",
    "pickle.load",
    "pickle.loads",
    "zipfile.ZipFile",
}
MAY_READ = {
    "distributed/cluster.py": {"json.loads": "TF_CONFIG of the environment"},
    "distributed/workers.py": {"json.loads": "what it has dumped itself"},
    "export/verifying/capi_process.py": {"numpy.load": "written by its parent"},
    "export/verifying/verification.py": {"json.loads": "printed by its child"},
    "serving/client/rest_transport.py": {"json.loads": "an answer, bounded there"},
    "serving/server/json_tensors.py": {
        "json.loads": "a request, bounded by the server"
    },
}
UNPICKLER = "files/torch_files.py"  # knows tensors only
# Modules without behaviour of their own beyond what another file's tests cover.
TESTED_ELSEWHERE = {
    "_registration.py": "test_package.py",
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


def full_names(tree):
    """Dotted names of all attributes and names of a module, its aliases resolved."""
    aliases = {"np": "numpy"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {x.asname: x.name for x in node.names if x.asname}
        elif isinstance(node, ast.ImportFrom):
            aliases |= {
                x.asname or x.name: f"{node.module}.{x.name}" for x in node.names
            }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, *rest = ast.unparse(node).split(".")
            yield ".".join([aliases.get(first, first), *rest])


def unbounded_readers(tree):
    return {x for x in full_names(tree) if x in UNBOUNDED}


def test_only_bounded_readers_read_files():
    calls = {
        name(path): readers
        for path in MODULES
        if part(path) != "files"
        and (readers := unbounded_readers(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert calls == {path: set(reasons) for path, reasons in MAY_READ.items()}


def test_nothing_views_memory_by_strides():
    for path in MODULES:
        assert "as_strided" not in path.read_text(encoding="utf-8"), name(path)


def test_only_one_module_knows_pickles_and_none_pytorch():
    for path in MODULES:
        packages = {dotted.partition(".")[0] for dotted in imported(path)}
        assert "torch" not in packages
        assert ("pickle" in packages) == (name(path) == UNPICKLER)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_pictures_are_of_named_formats(path):
    """Pillow's others include one that starts a program (EPS)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open":
            assert "formats" in {keyword.arg for keyword in node.keywords}


@pytest.mark.parametrize(
    "code",
    [
        "import json\njson.loads(text)",
        "import json as j\nj.load(file)",
        "from json import loads\nloads(text)",
        "from json import loads as f\nmap(f, lines)",
        "import numpy as np\nnp.load(path)",
        "from zipfile import ZipFile\nZipFile(path)",
        "import h5py\nwith h5py.File(path) as file: pass",
    ],
)
def test_unbounded_readers_are_noticed(code):
    assert len(unbounded_readers(ast.parse(code))) == 1


def test_packages_have_an_init_file():
    for folder in {path.parent for path in MODULES}:
        assert (folder / "__init__.py").is_file(), f"{folder.name} would not be packed"


def written(path):
    """Names of the calls in a module that write, name or rename a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", None))
        # `str.replace` takes two arguments, `dataclasses.replace` takes keywords.
        module = getattr(getattr(node.func, "value", None), "id", None)
        one = len(node.args) == 1 and not node.keywords
        writes = {
            "replace": one or module == "os",
            "save": bool(node.args),
            "open": may_write(node),
        }
        if called in WRITERS or writes.get(called):
            yield called


def may_write(call):
    """Whether a call of an `open` has a mode, or flags, to write with."""
    texts = [x.value for x in ast.walk(call) if isinstance(x, ast.Constant)]
    modes = [x for x in texts if isinstance(x, str) and set(x) <= set("rwxabt+U")]
    flags = {x.attr for x in ast.walk(call) if isinstance(x, ast.Attribute)}
    writing = any(set(mode) & set("wxa+") for mode in modes)
    return writing or bool(flags & {"O_WRONLY", "O_RDWR", "O_CREAT"})


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_one_module_writes_files(path):
    if name(path) != "files/writing.py":
        assert set(written(path)) == WRITES_ITSELF.get(name(path), set())


def test_who_writes_is_there():
    assert set(WRITES_ITSELF) <= set(map(name, MODULES))


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("open(x, 'w')", "open"),
        ("x.open(mode='ab')", "open"),
        ("os.open(x, os.O_CREAT)", "open"),
        ("os.replace(x, y)", "replace"),
        ("x.replace(y)", "replace"),
        ("x.write_text('')", "write_text"),
        ("open(x)", None),
        ("x.open('rb')", None),
        ("x.replace('a', 'b')", None),
        ("dataclasses.replace(x, a=1)", None),
    ],
)
def test_what_counts_as_writing(tmp_path, line, call):
    module = tmp_path / "module.py"
    module.write_text(line)
    assert list(written(module)) == [x for x in [call] if x]
