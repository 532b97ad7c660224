"""The files of `deploy/`, read by what will read them, as far as that can be had.

TensorFlow Serving's configurations by its own messages; compose.yaml by the schema of
the Compose specification and kubernetes.yaml by the API's (both strict); Prometheus's
by promtool where it is installed. No container is started.
"""

import pathlib
import re
import shutil
import subprocess
import sys

import kubernetes_validate
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from keras_sagan.serving.client.address import parse_address
from tests import protos
from tests.helpers import ROOT

DEPLOY = ROOT / "deploy"
HERE = pathlib.Path(__file__).parent
# Options of tensorflow_model_server (model_servers/main.cc of 9d981c5).
FLAGS = set((HERE / "golden" / "tensorflow_model_server_flags.txt").read_text().split())
# servables/tensorflow/util.cc of 9d981c5, spelt as prometheus_exporter.cc does.
METRICS = {":tensorflow:serving:request_count", ":tensorflow:serving:request_latency"}
MOUNTED = "/etc/serving"


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """Messages that `tensorflow-serving-api` lacks, compiled from their sources."""
    output = tmp_path_factory.mktemp("protos") / "set"
    return protos.parser(HERE / "protos", "tensorflow.serving", output)


def serving(name):
    return (DEPLOY / "serving" / name).read_text()


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def manifests():
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {document["kind"]: document for document in documents}


def models():
    parsed = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(serving("models.config"), parsed)
    return parsed.model_config_list.config


def container():
    return manifests()["Deployment"]["spec"]["template"]["spec"]["containers"][0]


# === TensorFlow Serving's own files ===


def test_models_are_there():
    assert models()
    for model in models():
        assert model.base_path == f"/models/{model.name}"
        assert model.model_platform == "tensorflow"
        assert (ROOT / "saved_models" / model.name / "1" / "saved_model.pb").is_file()


def test_monitoring(official):
    parsed = official(serving("monitoring.config"), "MonitoringConfig")
    assert parsed.prometheus_config.enable


def test_batching(official):
    parsed = official(serving("batching_parameters.config"), "BatchingParameters")
    sizes = list(parsed.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))  # as session_bundle_config.proto requires
    assert sizes[-1] == parsed.max_batch_size.value
    assert parsed.num_batch_threads.value >= 1


def test_a_misspelt_field_would_be_noticed(official):
    with pytest.raises(text_format.ParseError):
        official("max_batchsize { value: 1 }", "BatchingParameters")


# === Compose and Kubernetes ===


def test_compose_fits_its_schema():
    command = [sys.executable, "-m", "check_jsonschema"]
    schema = ["--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*command, *schema, DEPLOY / "compose.yaml"], check=True)


@pytest.mark.parametrize("kind", manifests())
def test_manifests_fit_their_schemas(kind):
    assert kubernetes_validate.validate(manifests()[kind], "1.27", strict=True)
    assert kubernetes_validate.validate(manifests()[kind], "1.37", strict=True)


def test_a_misspelt_key_would_be_noticed():
    document = manifests()["Deployment"]
    document["spec"]["replica"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, "1.37", strict=True)


def services():
    """KServe's, by name."""
    documents = yaml.safe_load_all((DEPLOY / "kserve.yaml").read_text())
    return {document["metadata"]["name"]: document for document in documents}


def test_services_of_kserve():
    """Against KServe's own definition by hand: it has 39,000 lines."""
    for service in services().values():
        assert service["apiVersion"] == "serving.kserve.io/v1beta1"
        assert service["kind"] == "InferenceService"
    first, second = (x["spec"]["predictor"]["model"] for x in services().values())
    [served] = models()
    assert first["protocolVersion"] == "v1"
    assert first["storageUri"] == f"pvc://saved-models/{served.name}"
    assert served.name in services()  # as TensorFlow Serving calls it there
    image = container()["image"]
    assert image.endswith(f":{first['runtimeVersion']}")
    assert (second["protocolVersion"], second["modelFormat"]["name"]) == (
        "v2",
        "triton",
    )


@pytest.mark.parametrize(
    "arguments", [compose()["services"]["serving"]["command"], container()["args"]]
)
def test_options_are_the_servers(arguments):
    for argument in arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        assert name in FLAGS and equals and value, argument
        if value.startswith(MOUNTED):
            assert serving(value.removeprefix(f"{MOUNTED}/"))
        assert not value.startswith("/") or value.startswith(MOUNTED)


def test_both_deployments_start_the_server_alike():
    service = compose()["services"]["serving"]
    assert container()["args"] == service["command"]
    assert container()["command"] == service["entrypoint"]
    default = service["image"].replace("${TENSORFLOW_SERVING_TAG:-", "").rstrip("}")
    assert container()["image"] == default


def test_the_config_map_holds_the_same_files():
    files = {path.name: path.read_text() for path in (DEPLOY / "serving").iterdir()}
    assert manifests()["ConfigMap"]["data"] == files


def test_compose_mounts_what_exists_and_listens_on_loopback():
    for service in compose()["services"].values():
        for port in service["ports"]:
            assert port.startswith("127.0.0.1:")
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert volume.endswith(":ro")
                assert (DEPLOY / source).is_dir()


def test_probes_ask_for_a_model_that_is_served():
    [model] = models()
    path = container()["readinessProbe"]["httpGet"]["path"]
    assert path == f"/v1/models/{model.name}/metadata"
    assert (
        parse_address(f"http://h{path.removesuffix('/metadata')}").model == model.name
    )


def test_the_health_check_of_compose(server):
    """Run as it is, except for the port, against a server of the same protocol."""
    _, *command = compose()["services"]["serving"]["healthcheck"]["test"]
    port = parse_address(server.rest).port
    other = [word.replace("/8501", f"/{port}") for word in command]
    assert subprocess.run(other, check=False).returncode == 0
    unknown = [word.replace("glyphs", "other") for word in other]
    assert subprocess.run(unknown, check=False).returncode != 0


# === docs/how-to/deploy.md ===


def examples(language):
    text = (ROOT / "docs" / "how-to" / "deploy.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("example", examples("textproto"))
def test_examples_of_configurations(official, example):
    name = example.partition("\n")[0].removeprefix("# ")
    if name == "ModelServerConfig":
        text_format.Parse(example, model_server_config_pb2.ModelServerConfig())
    else:
        official(example, name)


def test_the_example_in_python(server):
    [example] = examples("python")
    code = example.replace("grpc://localhost:8500/glyphs", server.grpc)
    assert code != example
    results = {}
    exec(code, results)
    assert results["images"].shape == (3, 32, 32, 3)
    assert results["files"][0].startswith(b"\x89PNG")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl not installed")
def test_the_examples_with_curl(server):
    [example] = [
        block for block in examples("bash") if "curl" in block and ":predict" in block
    ]
    code = example.replace("http://localhost:8501/v1/models/glyphs", server.rest)
    done = subprocess.run(
        ["bash", "-ec", code], check=True, capture_output=True, text=True
    )
    for part in ("AVAILABLE", "serving_default", '{"predictions": [{"b64": "iVBORw0'):
        assert part in done.stdout


# === Prometheus ===


def test_prometheus_asks_where_the_server_answers(official):
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    [job] = config["scrape_configs"]
    monitoring = official(serving("monitoring.config"), "MonitoringConfig")
    assert job["metrics_path"] == monitoring.prometheus_config.path
    [target] = job["static_configs"][0]["targets"]
    name, _, port = target.partition(":")
    assert f"--rest_api_port={port}" in compose()["services"][name]["command"]
    notes = manifests()["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert notes["prometheus.io/path"] == job["metrics_path"]
    assert notes["prometheus.io/port"] == port


def test_alerts_use_metrics_that_the_server_has():
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    used = set(re.findall(r":tensorflow:serving:\w+", text))
    assert {name.removesuffix("_bucket") for name in used} == METRICS
    jobs = set(re.findall(r'job="([^"]+)"', text))
    assert jobs == {"sagan-serving"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool not installed")
def test_promtool_finds_no_fault():
    config = DEPLOY / "prometheus" / "prometheus.yml"
    subprocess.run(["promtool", "check", "config", config], check=True)
