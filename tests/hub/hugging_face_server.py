"""A small Hub on this machine, for `huggingface_hub`: repositories, commits, files.

It keeps everything in memory, asks for a token where something is written, and answers
as the Hub does where a repository, revision or file is not there.
"""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
import urllib.parse

import pytest
from huggingface_hub import constants

TOKEN = "hf_of_the_test"


class HuggingFaceServer:
    """Serves until `close`.

    Attributes:
        url: str. What `HF_ENDPOINT` must be.
        commits: dict from a repository to its commits: lists of dicts from a name to
            the content, oldest first.
        gated: set of repositories that need terms accepted.
        requests: list of `"METHOD path"`.
    """

    def __init__(self):
        self.commits, self.gated, self.requests = {}, set(), []
        self.large = {}  # content by SHA-256, uploaded and not yet committed
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def put(self, repository, files):
        """Commits files (dict from a name to bytes), as somebody else may have."""
        commits = self.commits.setdefault(repository, [])
        commits.append({**(commits[-1] if commits else {}), **files})

    def find(self, repository, revision):
        """`(name of the commit, its files)`, or None."""
        commits = self.commits[repository]
        names = [_commit_name(repository, i) for i in range(len(commits))]
        if revision == "main" and commits:
            return names[-1], commits[-1]
        return dict(zip(names, commits, strict=True)).get(revision) and (
            revision,
            commits[names.index(revision)],
        )

    def close(self):
        """Ends it: from then on there is no network."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def taken_for_the_hub(cache):
    """Scope with a server that `huggingface_hub` takes for the Hub.

    The client reads the environment when it is imported, which Keras does: what it
    has read is set. `HF_HUB_DISABLE_XET` because the other protocol for large files
    needs a service of Hugging Face's.

    Args:
        cache: path of its cache.
    """
    server = HuggingFaceServer()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(constants, "ENDPOINT", server.url)
            template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
            patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
            patch.setattr(constants, "HF_HUB_CACHE", str(cache))
            patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
            patch.setenv("HF_TOKEN", TOKEN)
            yield server
    finally:
        server.close()


def _commit_name(repository, index):
    return hashlib.sha1(f"{repository} {index}".encode()).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    hub = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self._answer("GET")

    do_HEAD = do_GET

    def do_POST(self):
        self._answer("POST")

    def do_PUT(self):
        self._answer("PUT")

    def _answer(self, method):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        size = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        else:
            body = self.rfile.read(size)
        for pattern, of_method, action in _ROUTES:
            if of_method == method and (found := re.fullmatch(pattern, path)):
                if method != "GET" and f"Bearer {TOKEN}" != self.headers.get(
                    "Authorization", f"Bearer {TOKEN}" if method == "PUT" else ""
                ):
                    self._send(401, {"error": "Invalid username or password."})
                else:
                    action(self, body, **found.groupdict())
                return
        self._send(404, {"error": f"no route {path}"})

    def _chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status, content, **headers):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
            headers["Content-Type"] = "application/json"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    # === What the Hub does ===
    def _create(self, body):
        wanted = json.loads(body)
        name = "/".join(filter(None, [wanted.get("organization"), wanted["name"]]))
        url = {"url": f"{self.hub.url}/{name}", "name": name, "id": name}
        if name in self.hub.commits:
            self._send(409, {"error": "You already created this model repo", **url})
        else:
            self.hub.commits[name] = []
            self._send(200, url)

    def _validate(self, body):
        text = json.loads(body)["content"]
        lines = text.splitlines()
        valid = lines[0] == "---" and "---" in lines[1:]
        errors = [] if valid else [{"message": "no block of metadata"}]
        self._send(200 if valid else 400, {"errors": errors, "warnings": []})

    def _preupload(self, body, repository, revision):
        files = json.loads(body)["files"]
        modes = {True: "lfs", False: "regular"}
        answer = [
            {
                "path": x["path"],
                "uploadMode": modes[x["path"].endswith(".h5")],
                "shouldIgnore": False,
            }
            for x in files
        ]
        self._send(200, {"files": answer})

    def _batch(self, body, repository):
        wanted = json.loads(body)["objects"]
        objects = [
            {**x, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{x['oid']}"}}}
            for x in wanted
        ]
        self._send(200, {"transfer": "basic", "objects": objects})

    def _large(self, body, name):
        assert hashlib.sha256(body).hexdigest() == name
        self.hub.large[name] = body
        self._send(200, {})

    def _commit(self, body, repository, revision):
        files = {}
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
        self.hub.put(repository, files)
        name, _ = self.hub.find(repository, "main")
        url = f"{self.hub.url}/{repository}/commit/{name}"
        self._send(200, {"commitUrl": url, "commitOid": name, "success": True})

    def _information(self, body, repository, revision):
        commit, files = self.hub.find(repository, revision)
        siblings = [{"rfilename": name} for name in files]
        self._send(200, {"id": repository, "sha": commit, "siblings": siblings})

    def _tree(self, body, repository, revision):
        _, files = self.hub.find(repository, revision)
        self._send(
            200,
            [
                {"type": "file", "path": x, "size": len(y), "oid": "0" * 40}
                for x, y in files.items()
            ],
        )

    def _file(self, body, repository, revision, file):
        def missing(what):
            self._send(404, {"error": what}, X_Error_Code=what, X_Error_Message=what)

        if repository in self.hub.gated:
            return self._send(403, {}, X_Error_Code="GatedRepo")
        if repository not in self.hub.commits:
            return missing("RepoNotFound")
        if not (found := self.hub.find(repository, revision)):
            return missing("RevisionNotFound")
        commit, files = found
        if file not in files:
            return missing("EntryNotFound")
        etag = f'"{hashlib.sha256(files[file]).hexdigest()}"'
        return self._send(200, files[file], ETag=etag, X_Repo_Commit=commit)


_REPOSITORY = r"(?P<repository>[\w.-]+/[\w.-]+)"
_ROUTES = [
    (
        rf"/api/models/{_REPOSITORY}/revision/(?P<revision>[^/]+)",
        "GET",
        _Handler._information,
    ),
    (rf"/api/models/{_REPOSITORY}/tree/(?P<revision>[^/]+)", "GET", _Handler._tree),
    (r"/api/repos/create", "POST", _Handler._create),
    (r"/api/validate-yaml", "POST", _Handler._validate),
    (
        rf"/api/models/{_REPOSITORY}/preupload/(?P<revision>.+)",
        "POST",
        _Handler._preupload,
    ),
    (rf"/{_REPOSITORY}\.git/info/lfs/objects/batch", "POST", _Handler._batch),
    (r"/lfs/(?P<name>\w+)", "PUT", _Handler._large),
    (rf"/api/models/{_REPOSITORY}/commit/(?P<revision>.+)", "POST", _Handler._commit),
    (
        rf"/{_REPOSITORY}/resolve/(?P<revision>[^/]+)/(?P<file>.+)",
        "GET",
        _Handler._file,
    ),
]
