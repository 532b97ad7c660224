"""A server of the Open Inference Protocol over ONNX Runtime.

What differs between servers (Triton's rows have a shape, MLServer names no versions) is
chosen, so that a client meets both; the real ones are in `test_real_servers.py`.
"""

import contextlib
import http.server
import json
import threading

import numpy as np
import onnxruntime

DTYPES = {
    "tensor(float)": ("FP32", "f4"),
    "tensor(int32)": ("INT32", "i4"),
    "tensor(int64)": ("INT64", "i8"),
    "tensor(uint8)": ("UINT8", "u1"),
}


@contextlib.contextmanager
def serving(path, like_triton):
    """Serves an ONNX model as `m`; yields its URL and the list of requests."""
    session, requests = onnxruntime.InferenceSession(str(path)), []
    base = "/v2/models/m" + ("/versions/3" if like_triton else "")

    def described(value):
        shape = [-1 if isinstance(size, str) else size for size in value.shape]
        if like_triton and len(shape) == 1:
            shape = [-1, 1]
        kind = DTYPES[value.type][0]
        return {"name": value.name, "datatype": kind, "shape": shape}

    def infer(request):
        kinds = {x.name: DTYPES[x.type][1] for x in session.get_inputs()}
        ranks = {x.name: len(described(x)["shape"]) for x in session.get_inputs()}
        rows = {}
        for tensor in request["inputs"]:
            name, shape = tensor["name"], tensor["shape"]
            if name not in kinds or len(shape) != ranks[name]:
                raise ValueError(f"unexpected shape for input '{name}': {shape}")
            array = np.array(tensor["data"], kinds[name]).reshape(shape)
            rows[name] = array[:, 0] if shape[1:] == [1] else array
        names = [x["name"] for x in request["outputs"]]
        found = zip(names, session.run(names, rows), strict=True)
        kinds = {x.name: DTYPES[x.type][0] for x in session.get_outputs()}
        return {
            "outputs": [
                {
                    "name": name,
                    "datatype": kinds[name],
                    "shape": list(array.shape),
                    "data": array.ravel().tolist(),
                }
                for name, array in found
            ]
        }

    def metadata():
        return {
            "name": "m",
            "versions": ["3"] if like_triton else [],
            "inputs": [described(x) for x in session.get_inputs()],
            "outputs": [described(x) for x in session.get_outputs()],
        }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            answers = {base: metadata, f"{base}/ready": lambda: None}
            self.answer(answers.get(self.path))

        def do_POST(self):
            requests.append(self.path)
            content = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path == f"{base}/infer"
            self.answer((lambda: infer(json.loads(content))) if known else None)

        def answer(self, make):
            try:
                status, body = (200, make()) if make else (404, {"error": "no such"})
            except Exception as error:  # of the runtime, too: what a client sent
                status, body = 400, {"error": str(error)}
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *unused):
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}{base}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
