"""A small Kaggle on this machine, for `kagglehub`: models, versions, uploads."""

import http.server
import json
import threading


class KaggleServer:
    """Serves until `close`.

    Attributes:
        url: str.
        versions: dict from `"OWNER/MODEL/VARIATION"` to its versions, oldest first:
            dicts from a name to the content.
        models: set of `"OWNER/MODEL"`.
        requests: list of str: what was asked for.
    """

    def __init__(self):
        self.versions, self.models, self.requests = {}, set(), []
        self.blobs = []  # (name, content)
        handler = type("Handler", (_Handler,), {"kaggle": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self):
        """Ends it: from then on there is no network."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    kaggle = None

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        action, wanted = self.path.rpartition("/")[2], json.loads(body)
        self.kaggle.requests.append(action)
        getattr(self, f"_{action}")(wanted)

    def do_PUT(self):
        index = int(self.path.rpartition("/")[2])
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.kaggle.blobs[index] = (self.kaggle.blobs[index][0], content)
        self._send({})

    def _send(self, content, status=200):
        kind = "application/octet-stream"
        if not isinstance(content, bytes):
            kind, content = "application/json", json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _missing(self):
        self._send({"code": 404, "message": "Not found"}, 404)

    def _versions(self, wanted):
        name = f"{wanted['ownerSlug']}/{wanted['modelSlug']}/{wanted['instanceSlug']}"
        return self.kaggle.versions.get(name)

    # === What Kaggle does ===
    def _GetModel(self, wanted):
        name = f"{wanted['ownerSlug']}/{wanted['modelSlug']}"
        self._send({"slug": name}) if name in self.kaggle.models else self._missing()

    def _CreateModel(self, wanted):
        self.kaggle.models.add(f"{wanted['ownerSlug']}/{wanted['slug']}")
        self._send({})

    def _StartBlobUpload(self, wanted):
        self.kaggle.blobs.append((wanted["name"], None))
        number = len(self.kaggle.blobs) - 1
        url = f"{self.kaggle.url}/blob/{number}"
        self._send({"token": str(number), "createUrl": url})

    def _CreateModelInstance(self, wanted):
        slug = wanted["body"]["instanceSlug"]
        name = f"{wanted['ownerSlug']}/{wanted['modelSlug']}/{slug}"
        if name in self.kaggle.versions:
            return self._send({"error": "It exists.", "errorCode": 409})
        self.kaggle.versions[name] = []
        return self._add(self.kaggle.versions[name], wanted)

    def _CreateModelInstanceVersion(self, wanted):
        self._add(self._versions(wanted), wanted)

    def _add(self, versions, wanted):
        tokens = [int(x["token"]) for x in wanted["body"]["files"]]
        versions.append(dict(self.kaggle.blobs[x] for x in tokens))
        self._send({})

    def _GetModelInstance(self, wanted):
        versions = self._versions(wanted)
        if versions is None:
            return self._missing()
        return self._send({"id": 1, "versionNumber": len(versions)})

    def _DownloadModelInstanceVersion(self, wanted):
        versions = self._versions(wanted) or []
        number = wanted["versionNumber"]
        if number > len(versions) or wanted["path"] not in versions[number - 1]:
            return self._missing()
        return self._send(versions[number - 1][wanted["path"]])
