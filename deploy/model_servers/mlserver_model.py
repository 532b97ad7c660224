"""Serves an ONNX model on MLServer, by the Open Inference Protocol (v2).

    keras-sagan export RUN -o FOLDER/model.onnx --format onnx --signature generate
    pip install mlserver onnxruntime
    MLSERVER_HOST=127.0.0.1 MLSERVER_PARALLEL_WORKERS=0 mlserver start FOLDER

FOLDER has this file, `generator.py` and `model-settings.json` too, which names the
model. ONNX Runtime uses all cores, so that processes of MLServer's own add nothing.
"""

import asyncio

from generator import Generator
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceResponse, MetadataTensor
from mlserver.utils import get_model_uri


class Model(MLModel):
    """A `Generator` behind MLServer."""

    async def load(self):
        """Opens the model that `model-settings.json` names."""
        self._generator = Generator(await get_model_uri(self.settings))
        self.inputs = [MetadataTensor(**tensor) for tensor in self._generator.inputs]
        self.outputs = [MetadataTensor(**tensor) for tensor in self._generator.outputs]
        return True

    async def predict(self, payload):
        """Answers a request; other requests are answered meanwhile."""
        try:
            columns = {x.name: NumpyCodec.decode_input(x) for x in payload.inputs}
            images = await asyncio.to_thread(self._generator.run, columns)
        except ValueError as error:
            raise InferenceError(str(error)) from error
        output = NumpyCodec.encode_output("images", images)
        return InferenceResponse(model_name=self.name, outputs=[output])
