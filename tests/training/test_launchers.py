"""The files of `deploy/training`, run with what Kubernetes and Slurm give them."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import kubernetes_validate
import pytest
import yaml

from keras_sagan.cli.commands import train
from keras_sagan.cli.errors import EXIT_USAGE
from tests import helpers
from tests.training import ports

FOLDER = helpers.ROOT / "deploy" / "training"
PROGRAM = pathlib.Path(__file__).with_name("launched_program.py")
COUNT = 4

SCONTROL = """#!/bin/bash
case $1 in
show) printf 'node%d\\n' 0 1 2 3 ;;  # hostnames of node[0-3]
requeue) echo "$2" >>"$REQUEUED" ;;
*) exit 1 ;;
esac
"""
# As the real one: a process a task, the largest of their exit statuses.
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
pids=() status=0
for SLURM_PROCID in 0 1 2 3; do
    export SLURM_PROCID
    "$@" >"$TASKS/$SLURM_PROCID.txt" 2>&1 &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    code=0
    wait "$pid" || code=$?
    [ "$code" -le "$status" ] || status=$code
done
exit "$status"
"""


@pytest.fixture
def environment(tmp_path):
    """Environment with `keras-sagan`, `srun` and `scontrol` of this test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    programs = {
        "keras-sagan": f'#!/bin/sh\nexec "{sys.executable}" "{PROGRAM}" "$@"\n',
        "scontrol": SCONTROL,
        "srun": SRUN,
    }
    for name, content in programs.items():
        (folder / name).write_text(content)
        (folder / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(helpers.ROOT),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TASKS": str(tmp_path),
        "REQUEUED": str(tmp_path / "requeued"),
    }


def local(environment, picture_folder, tmp_path):
    """The environment in which the workers train, on this machine."""
    return {
        **environment,
        "LOCAL_WORKERS": ",".join(ports.free_addresses(COUNT)),
        "PICTURES": str(picture_folder),
        "OUTPUT": str(tmp_path / "run"),
    }


def texts(tmp_path):
    return [(tmp_path / f"{i}.txt").read_text() for i in range(COUNT)]


def assert_workers(printed, workers):
    """Each text begins with what a worker was started as."""
    described = [json.loads(text.splitlines()[0]) for text in printed]
    assert [x["index"] for x in described] == list(range(COUNT))
    for one in described:
        assert one["workers"] == workers
        assert one["strategy"] == "multi_worker"
        assert one["dataset"] == "folder:/data/pictures"
        assert one["output"].endswith("runs/sagan-128")


def assert_trained(printed, tmp_path):
    assert all("Finished after 2 steps" in text for text in printed)
    assert (tmp_path / "run" / "model" / "model.weights.h5").is_file()


# === Kubernetes ===
@pytest.fixture(scope="module")
def manifests():
    text = (FOLDER / "kubernetes-job.yaml").read_text()
    return {x["kind"]: x for x in yaml.safe_load_all(text)}


def pods(manifests, environment):
    """Command and environment of each pod, as Kubernetes makes them."""
    job = manifests["Job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    for index in range(job["completions"]):
        found = {}
        for variable in container["env"]:
            path = variable["valueFrom"]["fieldRef"]["fieldPath"]
            assert path == (
                "metadata.annotations['batch.kubernetes.io/job-completion-index']"
            )
            found[variable["name"]] = str(index)
        command = [
            re.sub(r"\$\((\w+)\)", lambda match, known=found: known[match[1]], word)
            for word in container["command"] + container["args"]
        ]
        # Python looks for the program in its own PATH.
        command[0] = shutil.which(command[0], path=environment["PATH"])
        yield command, {**environment, **found}


@pytest.mark.parametrize("version", ["1.27", "1.37"])
def test_the_manifests_fit_their_schemas(manifests, version):
    for document in manifests.values():
        assert kubernetes_validate.validate(document, version, strict=True)


def test_pods_have_the_names_that_workers_are_called_by(manifests):
    service, job = manifests["Service"], manifests["Job"]
    pod = job["spec"]["template"]["spec"]
    assert service["spec"]["clusterIP"] == "None"  # headless: names are pods' addresses
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    assert pod["subdomain"] == service["metadata"]["name"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == COUNT
    (container,) = pod["containers"]
    (port,) = container["ports"]
    names = [f"{job['metadata']['name']}-{i}.{pod['subdomain']}" for i in range(COUNT)]
    expected = ",".join(f"{name}:{port['containerPort']}" for name in names)
    assert f"--workers={expected}" in container["args"]
    claimed = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == claimed


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (train.EXIT_FAILED, "FailJob"),
        (EXIT_USAGE, "FailJob"),
        (train.EXIT_DIVERGED, "FailJob"),
        (train.EXIT_WORKER_LOST, None),
        (128 + signal.SIGTERM, None),
        (128 + signal.SIGKILL, None),
    ],
)
def test_which_pods_are_started_again(manifests, status, action):
    """As the Job controller reads it: the first rule that fits, else another pod."""
    job = manifests["Job"]["spec"]
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # with another the API refuses the rules
    fitting = [
        rule["action"]
        for rule in job["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
        and rule["onExitCodes"]["containerName"] == pod["containers"][0]["name"]
        and rule["onExitCodes"]["operator"] == "In"
        and status in rule["onExitCodes"]["values"]
    ]
    assert fitting[:1] == ([action] if action else [])


def test_every_pod_is_another_worker(manifests, environment):
    printed = [
        subprocess.run(
            command, env=variables, check=True, capture_output=True, text=True
        ).stdout
        for command, variables in pods(manifests, environment)
    ]
    assert_workers(printed, [f"sagan-{i}.sagan:2222" for i in range(COUNT)])


@pytest.mark.patient
@pytest.mark.distributed
def test_pods_train_together(manifests, environment, picture_folder, tmp_path):
    started = []
    variables = local(environment, picture_folder, tmp_path)
    for index, (command, own) in enumerate(pods(manifests, variables)):
        with (tmp_path / f"{index}.txt").open("w") as file:
            started.append(
                subprocess.Popen(
                    command, env=own, stdout=file, stderr=subprocess.STDOUT
                )
            )
    assert [process.wait() for process in started] == [0] * COUNT, texts(tmp_path)
    assert_trained(texts(tmp_path), tmp_path)


# === Slurm ===
def sbatch(environment, **variables):
    """Runs the script as Slurm does on the first of its nodes."""
    return subprocess.run(
        ["bash", FOLDER / "slurm.sh"],
        env={
            **environment,
            "SLURM_JOB_ID": "17",
            "SLURM_JOB_NODELIST": "node[0-3]",
            **variables,
        },
        cwd=environment["TASKS"],
        check=False,
        capture_output=True,
        text=True,
    )


def test_every_task_is_another_worker(environment, tmp_path):
    done = sbatch(environment)
    assert done.returncode == 0, done.stderr
    assert_workers(texts(tmp_path), [f"node{i}:2222" for i in range(COUNT)])
    assert not (tmp_path / "requeued").exists()


@pytest.mark.parametrize(
    ("status", "restarts", "again"),
    [("75", "0", True), ("143", "19", True), ("75", "20", False), ("2", "0", False)],
)
def test_what_is_queued_again(environment, tmp_path, status, restarts, again):
    done = sbatch(environment, STATUS=status, SLURM_RESTART_COUNT=restarts)
    assert done.returncode == int(status), done.stderr
    queued = tmp_path / "requeued"
    assert (queued.read_text() if queued.exists() else None) == (
        "17\n" if again else None
    )


def test_shellcheck_finds_nothing():
    program = shutil.which("shellcheck", path=pathlib.Path(sys.executable).parent)
    if program is None:
        pytest.skip("shellcheck is not installed")
    subprocess.run([program, FOLDER / "slurm.sh"], check=True)


@pytest.mark.patient
@pytest.mark.distributed
def test_tasks_train_together(environment, picture_folder, tmp_path):
    done = sbatch(local(environment, picture_folder, tmp_path))
    assert done.returncode == 0, texts(tmp_path)
    assert_trained(texts(tmp_path), tmp_path)
