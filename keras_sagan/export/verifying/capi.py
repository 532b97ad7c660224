"""Runs SavedModels through TensorFlow's C API, with the C++ loader of TF Serving.

It opens the shared libraries of the TensorFlow wheel, but imports neither `tensorflow`
nor `keras`. Therefore what runs here runs without any Python code of a model.
"""

import contextlib
import ctypes
import importlib.util
import math
import os
import pathlib

import numpy as np

from keras_sagan.export import protobuf
from keras_sagan.export.verifying.graph import signature_defs

_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_SIZE, _SIZE_64 = ctypes.c_size_t, ctypes.c_int64
_STRING_BYTES = 24  # size of a TF_TString in a tensor
_STRING = 7
_DTYPES = {
    1: np.float32, 2: np.float64, 3: np.int32, 4: np.uint8, 9: np.int64, 10: np.bool_,
}  # fmt: skip


class TensorFlowError(RuntimeError):
    """An error that TensorFlow reported.

    Args:
        code: int. A `TF_Code`, e.g. 3 for an invalid argument.
        message: str.
    """

    def __init__(self, code, message):
        super().__init__(f"TensorFlow error {code}: {message}")
        self.code = code
        self.message = message


class _Output(ctypes.Structure):
    _fields_ = [("operation", _POINTER), ("index", _INT)]


class _Buffer(ctypes.Structure):
    _fields_ = [("data", _POINTER), ("length", _SIZE), ("deallocator", _POINTER)]


_FUNCTIONS = {
    "TF_Version": (_TEXT, []),
    "TF_NewStatus": (_POINTER, []),
    "TF_GetCode": (_INT, [_POINTER]),
    "TF_Message": (_TEXT, [_POINTER]),
    "TF_DeleteStatus": (None, [_POINTER]),
    "TF_NewGraph": (_POINTER, []),
    "TF_DeleteGraph": (None, [_POINTER]),
    "TF_GraphOperationByName": (_POINTER, [_POINTER, _TEXT]),
    "TF_NewSessionOptions": (_POINTER, []),
    "TF_DeleteSessionOptions": (None, [_POINTER]),
    "TF_SetConfig": (None, [_POINTER, _POINTER, _SIZE, _POINTER]),
    "TF_NewBuffer": (ctypes.POINTER(_Buffer), []),
    "TF_GetAllOpList": (ctypes.POINTER(_Buffer), []),
    "TF_DeleteBuffer": (None, [ctypes.POINTER(_Buffer)]),
    "TF_LoadSessionFromSavedModel": (
        _POINTER,
        [_POINTER, _POINTER, _TEXT, ctypes.POINTER(_TEXT), _INT, _POINTER,
         ctypes.POINTER(_Buffer), _POINTER],
    ),
    "TF_CloseSession": (None, [_POINTER, _POINTER]),
    "TF_DeleteSession": (None, [_POINTER, _POINTER]),
    "TF_AllocateTensor": (_POINTER, [_INT, ctypes.POINTER(_SIZE_64), _INT, _SIZE]),
    "TF_TensorData": (_POINTER, [_POINTER]),
    "TF_TensorType": (_INT, [_POINTER]),
    "TF_TensorByteSize": (_SIZE, [_POINTER]),
    "TF_NumDims": (_INT, [_POINTER]),
    "TF_Dim": (_SIZE_64, [_POINTER, _INT]),
    "TF_DeleteTensor": (None, [_POINTER]),
    "TF_StringGetDataPointer": (_POINTER, [_POINTER]),
    "TF_StringGetSize": (_SIZE, [_POINTER]),
    "TF_SessionRun": (
        None,
        [_POINTER, _POINTER, ctypes.POINTER(_Output), ctypes.POINTER(_POINTER), _INT,
         ctypes.POINTER(_Output), ctypes.POINTER(_POINTER), _INT,
         ctypes.POINTER(_POINTER), _INT, _POINTER, _POINTER],
    ),
}  # fmt: skip


def load_library():
    """Loads TensorFlow's C API as a `ctypes.CDLL` with typed functions.

    Raises:
        ImportError: if TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    spec = importlib.util.find_spec("tensorflow")  # without importing it
    if spec is None:
        raise ImportError("TensorFlow is not installed.")
    (root, *_) = spec.submodule_search_locations
    ctypes.CDLL(f"{root}/libtensorflow_framework.so.2", mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(f"{root}/libtensorflow_cc.so.2")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def registered_operations(library):
    """Returns the names of the operations that are part of TensorFlow: set of str."""
    buffer = library.TF_GetAllOpList()
    content = ctypes.string_at(buffer.contents.data, buffer.contents.length)
    library.TF_DeleteBuffer(buffer)
    return {protobuf.first(x, 1).decode() for x in protobuf.values(content, 1)}


class Session:
    """A loaded SavedModel.

    Args:
        directory: str or path of the SavedModel.
        library: result of `load_library`.
        threads: int. Number of threads for computing, or 0 for one per core.

    Attributes:
        signatures: dict from name to `SignatureDef`; see `signature_defs`.

    Raises:
        TensorFlowError: if it cannot be loaded.
    """

    def __init__(self, directory, library, threads=0):
        self._library = library
        self._graph = library.TF_NewGraph()
        options, meta_graph = library.TF_NewSessionOptions(), library.TF_NewBuffer()
        tags = (_TEXT * 1)(b"serve")
        path = str(pathlib.Path(directory)).encode()
        if threads:  # ConfigProto.intra_op_parallelism_threads, inter_op_...
            config = bytes([2 << 3, threads, 5 << 3, threads])
            with self._status() as status:
                library.TF_SetConfig(options, config, len(config), status)
        with self._status() as status:
            self._session = library.TF_LoadSessionFromSavedModel(
                options, None, path, tags, 1, self._graph, meta_graph, status
            )
        buffer = meta_graph.contents
        self.signatures = signature_defs(ctypes.string_at(buffer.data, buffer.length))
        library.TF_DeleteBuffer(meta_graph)
        library.TF_DeleteSessionOptions(options)

    def run(self, signature, inputs):
        """Runs a signature.

        Args:
            signature: str.
            inputs: dict from the name of an input to an array, or anything that NumPy
                converts to an array of its dtype.

        Returns: dict from the name of an output to an array, or to a list of bytes.

        Raises:
            KeyError: if there is no such signature or input, or if an input is missing.
            TensorFlowError: if TensorFlow refuses the values.
        """
        wanted, given = self.signatures[signature].outputs, []
        places = self.signatures[signature].inputs
        if set(inputs) != set(places):
            raise KeyError(f"{signature!r} takes {sorted(places)}, not {list(inputs)}.")
        outputs = (_POINTER * len(wanted))()
        try:
            given = [self._tensor(inputs[x], places[x].dtype) for x in places]
            with self._status() as status:
                self._library.TF_SessionRun(
                    self._session, None,
                    self._outputs(places), (_POINTER * len(given))(*given), len(given),
                    self._outputs(wanted), outputs, len(wanted), None, 0, None, status,
                )  # fmt: skip
            return {
                name: self._array(tensor)
                for name, tensor in zip(wanted, outputs, strict=True)
            }
        finally:
            for tensor in filter(None, [*given, *outputs]):
                self._library.TF_DeleteTensor(tensor)

    def close(self):
        """Frees the session and its memory."""
        for function in ("TF_CloseSession", "TF_DeleteSession"):
            with self._status() as status:
                getattr(self._library, function)(self._session, status)
        self._library.TF_DeleteGraph(self._graph)

    @contextlib.contextmanager
    def _status(self):
        status = self._library.TF_NewStatus()
        try:
            yield status
            code = self._library.TF_GetCode(status)
            if code:
                message = self._library.TF_Message(status).decode(errors="replace")
                raise TensorFlowError(code, message)
        finally:
            self._library.TF_DeleteStatus(status)

    def _outputs(self, places):
        def output(name):
            operation, _, index = name.partition(":")
            found = self._library.TF_GraphOperationByName(
                self._graph, operation.encode()
            )
            return _Output(found, int(index or 0))

        return (_Output * len(places))(*[output(x.tensor) for x in places.values()])

    def _tensor(self, value, dtype):
        array = np.ascontiguousarray(value, _DTYPES[dtype])
        sizes = (_SIZE_64 * max(array.ndim, 1))(*array.shape)
        tensor = self._library.TF_AllocateTensor(dtype, sizes, array.ndim, array.nbytes)
        ctypes.memmove(
            self._library.TF_TensorData(tensor), array.ctypes.data, array.nbytes
        )
        return tensor

    def _array(self, tensor):
        library, dtype = self._library, self._library.TF_TensorType(tensor)
        dimensions = range(library.TF_NumDims(tensor))
        shape = [library.TF_Dim(tensor, i) for i in dimensions]
        data = library.TF_TensorData(tensor)
        if dtype != _STRING:
            # `string_at` cannot read more than 2^31 bytes.
            size = library.TF_TensorByteSize(tensor)
            content = (ctypes.c_char * size).from_address(data) if size else b""
            return np.frombuffer(content, _DTYPES[dtype]).reshape(shape).copy()
        places = [data + _STRING_BYTES * i for i in range(math.prod(shape))]
        return [
            ctypes.string_at(
                library.TF_StringGetDataPointer(p), library.TF_StringGetSize(p)
            )
            for p in places
        ]
