"""Serves an ONNX model on KServe's model server, by its protocols v1 and v2.

    keras-sagan export RUN -o model.onnx --format onnx --signature generate
    pip install kserve onnxruntime pillow
    python kserve_server.py --model_name glyphs --onnx model.onnx --http_port 8080

Other options are those of KServe. Over v2, the function is `generate`; over v1, it is
`generate_png`, whose pictures are files, by rows (`instances`) and by columns
(`inputs`), with the metadata that clients of TensorFlow Serving ask for.
"""

import argparse
import asyncio
import base64
import io
import uuid

import kserve
from fastapi import HTTPException
from generator import Generator
from kserve import model_server
from kserve.errors import InvalidInput
from PIL import Image

SIGNATURE = "generate_png"
_TENSORFLOW = {"FP32": "DT_FLOAT", "INT32": "DT_INT32", "INT64": "DT_INT64"}


class Model(kserve.Model):
    """A `Generator` behind KServe."""

    def __init__(self, name, path):
        super().__init__(name)
        self._generator = Generator(path)
        self.ready = True

    def get_input_types(self):
        """Metadata of v2."""
        return self._generator.inputs

    def get_output_types(self):
        """Metadata of v2."""
        return self._generator.outputs

    async def predict(self, payload, headers=None):
        """Answers a request of v1 (a dict) or v2 (an `InferRequest`)."""
        try:
            if isinstance(payload, dict):
                return await self._predict_v1(payload)
            columns = {tensor.name: tensor.as_numpy() for tensor in payload.inputs}
            images = await self._images(columns)
        except ValueError as error:
            raise InvalidInput(str(error)) from error
        output = kserve.InferOutput("images", list(images.shape), "UINT8")
        output.set_data_from_numpy(images, binary_data=False)
        number = payload.id or str(uuid.uuid4())  # KServe's answers must have one
        return kserve.InferResponse(number, self.name, [output])

    async def _predict_v1(self, request):
        if request.get("signature_name") != SIGNATURE:
            raise ValueError(
                f"`signature_name` must be '{SIGNATURE}'. "
                f"Received: {request.get('signature_name')!r}."
            )
        if "inputs" in request:
            return {"outputs": _encoded(await self._images(request["inputs"]))}
        rows = request.get("instances") or [{}]
        names = {tuple(row) if isinstance(row, dict) else None for row in rows}
        if len(names) > 1 or None in names:
            raise ValueError("All `instances` must be objects with the same inputs.")
        columns = {name: [row[name] for row in rows] for name in names.pop()}
        return {"predictions": _encoded(await self._images(columns))}

    async def _images(self, columns):
        """Runs beside the event loop, which goes on answering probes."""
        return await asyncio.to_thread(self._generator.run, columns)

    def metadata(self):
        """What TensorFlow Serving says of this function."""
        inputs = {
            tensor["name"]: _tensor(_TENSORFLOW[tensor["datatype"]])
            for tensor in self._generator.inputs
        }
        signature = {"inputs": inputs, "outputs": {"image_bytes": _tensor("DT_STRING")}}
        signatures = {"signature_def": {SIGNATURE: signature}}
        return {"metadata": {"signature_def": signatures}}


def _tensor(dtype):
    shape = {"dim": [{"size": "-1"}], "unknown_rank": False}
    return {"dtype": dtype, "tensor_shape": shape}


def _encoded(images):
    return [{"b64": base64.b64encode(_png(image)).decode("ascii")} for image in images]


def _png(image):
    buffer = io.BytesIO()
    image = image[..., 0] if image.shape[-1] == 1 else image
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def main():
    """Serve until a signal."""
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.add_argument("--onnx", required=True, metavar="FILE")
    options = parser.parse_args()
    model = Model(options.model_name, options.onnx)

    @model_server.app.get("/v1/models/{name}/metadata")
    async def metadata(name: str):
        if name != model.name:
            raise HTTPException(404, f"Model with name {name} does not exist.")
        return model.metadata()

    kserve.ModelServer().start([model])


if __name__ == "__main__":
    main()
