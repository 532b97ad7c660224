"""Reads the graph of a SavedModel without TensorFlow, and checks its operations."""

import collections
import dataclasses
import pathlib

from keras_sagan.export import protobuf

# Operations that need Python.
_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
# Operations that `saved_model_cli scan` warns of, as a model needs no files and prints
# nothing.
_DENIED = {"ReadFile", "WriteFile", "PrintV2"}
# Operations that every SavedModel has for loading, and that no request may reach.
_LOADING = {
    "AssignVariableOp", "MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename",
}  # fmt: skip

# The newest known version of TensorFlow Serving; see docs/how-to/export.md.
NEWEST_SERVING = (2, 21)


@dataclasses.dataclass(frozen=True)
class Place:
    """The place of an input or output of a signature in the graph.

    Args:
        tensor: str. Name of the tensor, e.g. `"generate_seed:0"`.
        dtype: int. A `DataType`, e.g. 1 for float32.
    """

    tensor: str
    dtype: int


@dataclasses.dataclass(frozen=True)
class SignatureDef:
    """The inputs and outputs of a signature, as dicts from name to `Place`."""

    inputs: dict
    outputs: dict


@dataclasses.dataclass(frozen=True)
class _Node:
    operation: str
    inputs: tuple  # names of nodes
    functions: tuple  # names of the functions that it calls


def read_meta_graph(directory):
    """Reads the `MetaGraphDef` of a SavedModel: bytes.

    Raises:
        FileNotFoundError: if there is no SavedModel.
    """
    content = (pathlib.Path(directory) / "saved_model.pb").read_bytes()
    return protobuf.first(content, 2)


def tensorflow_version(meta_graph):
    """Returns the version of TensorFlow that wrote a `MetaGraphDef`: str."""
    return protobuf.first(protobuf.first(meta_graph, 1), 5).decode()


def signature_defs(meta_graph):
    """Returns the signatures in a `MetaGraphDef`: dict from name to `SignatureDef`."""
    found = {}
    for entry in protobuf.values(meta_graph, 5):
        name, definition = protobuf.first(entry, 1).decode(), protobuf.first(entry, 2)
        if not name.startswith("__"):  # the initialiser
            found[name] = SignatureDef(
                _node_places(definition, 1), _node_places(definition, 2)
            )
    return found


def served_operations(meta_graph):
    """Counts the operations that requests run.

    Args:
        meta_graph: bytes of a `MetaGraphDef`.

    Returns: dict from the name of a signature to a `collections.Counter` of the
        operations on which its outputs depend, including those in functions.
    """
    graph = protobuf.first(meta_graph, 2)
    nodes = dict(map(_node, protobuf.values(graph, 1)))
    functions = dict(map(_function, protobuf.values(protobuf.first(graph, 2), 1)))
    return {
        name: _reachable(definition.outputs, nodes, functions)
        for name, definition in signature_defs(meta_graph).items()
    }


def forbidden_operations(operations, registered):
    """Returns the operations that a server refuses or should not run.

    Args:
        operations: iterable of str. Operations that requests run.
        registered: set of str. Operations that are part of TensorFlow.

    Returns: sorted list of str.
    """
    used = set(operations)
    return sorted(used - registered | used & (_PYTHON | _DENIED | _LOADING))


def version_warning(version):
    """Returns a warning about an export by a version of TensorFlow: str, or None.

    Args:
        version: str, e.g. `"2.21.0"`.
    """
    major, minor = (int(x) for x in version.split(".")[:2])
    if (major, minor) <= NEWEST_SERVING:
        return None
    newest = ".".join(map(str, NEWEST_SERVING))
    return (
        f"TensorFlow {version}, which wrote the export, is newer than the newest known "
        f"TensorFlow Serving ({newest}), so a server may not load it. See "
        "docs/how-to/export.md."
    )


def _reachable(outputs, nodes, functions):
    counts = collections.Counter()
    waiting = [place.tensor.partition(":")[0] for place in outputs.values()]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += nodes[name].inputs
        counts += _count_bytes(nodes[name], functions)
    return counts


def _count_bytes(node, functions):
    """Counts the operation of a node and those of the functions that it calls."""
    counts = collections.Counter()
    called = [functions[x] for x in node.functions]
    if node.operation in functions:
        called.append(functions[node.operation])
    else:
        counts[node.operation] += 1
    for body in called:
        for inner in body:
            counts += _count_bytes(inner, functions)
    return counts


def _node_places(definition, number):
    places = {}
    for entry in protobuf.values(definition, number):
        info = protobuf.first(entry, 2)
        places[protobuf.first(entry, 1).decode()] = Place(
            protobuf.first(info, 1).decode(), protobuf.first(info, 2, 0)
        )
    return places


def _function(content):
    name = protobuf.first(protobuf.first(content, 1), 1).decode()
    return name, [_node(x)[1] for x in protobuf.values(content, 3)]


def _node(content):
    """Returns name and `_Node` of a `NodeDef`."""
    inputs = [
        x.decode().lstrip("^").partition(":")[0] for x in protobuf.values(content, 3)
    ]
    functions = []
    for entry in protobuf.values(content, 5):
        value = protobuf.first(entry, 2)
        listed = protobuf.values(protobuf.first(value, 1), 9)
        functions += [
            protobuf.first(x, 1) for x in (*protobuf.values(value, 10), *listed)
        ]
    names = tuple(x.decode() for x in functions if x)
    operation = protobuf.first(content, 2).decode()
    return protobuf.first(content, 1).decode(), _Node(operation, tuple(inputs), names)
