"""What TensorFlow Serving can load: operations and versions."""

# Operations that do not run where there is no Python.
_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
# What `saved_model_cli scan` warns of: a model has no business with files or output.
_DENIED = {"ReadFile", "WriteFile", "PrintV2"}
# What every SavedModel has for its own loading, and no request may reach.
_LOADING = {
    "AssignVariableOp", "MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename",
}  # fmt: skip

# The newest TensorFlow Serving that is known; see docs/serving.md.
NEWEST_SERVING = (2, 21)


def forbidden_operations(operations, registered):
    """The operations of a request that a server refuses, or should not run.

    Args:
        operations: iterable of str. What requests run.
        registered: set of str. What TensorFlow brings.

    Returns: sorted list of str.
    """
    used = set(operations)
    return sorted(used - registered | used & (_PYTHON | _DENIED | _LOADING))


def version_warning(version):
    """What to say about an export by a TensorFlow of `version`: str, or None.

    Args:
        version: str, e.g. `"2.21.0"`.
    """
    major, minor = (int(x) for x in version.split(".")[:2])
    if (major, minor) <= NEWEST_SERVING:
        return None
    newest = ".".join(map(str, NEWEST_SERVING))
    return (
        f"Exported with TensorFlow {version}, newer than the newest TensorFlow Serving "
        f"known ({newest}): a server may not load it. See docs/serving.md."
    )
