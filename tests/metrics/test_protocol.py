"""Protocols: what a score carries, and which results may be compared."""

import copy
import json

import pytest

from keras_sagan.metrics import compare_results, protocol


def result(**changes):
    made = protocol.build_protocol(
        {"name": "inception", "sha256": "a", "resize": "clean"},
        {"dataset": "glyphs", "split": "train", "count": 100},
        {
            "model": {"path": "x"},
            "seed": changes.pop("seed", 0),
            "count": 50,
            "truncation": changes.pop("truncation", None),
        },
        {"kid.subsets": 100},
    )
    return {"scores": {"fid": 1.5, "kid": 0.1}, "protocol": made}


def test_contents():
    made = result()["protocol"]
    assert made["model"] == {"path": "x"} and made["seed"] == 0
    assert made["fake"] == {"count": 50, "truncation": None}
    assert {"keras_sagan", "keras", "tensorflow", "numpy"} == set(made["versions"])
    json.dumps(made)


def test_results_of_one_protocol():
    first, second = result(), result(seed=3)
    second["protocol"]["model"] = {"path": "y"}
    second["protocol"]["versions"]["numpy"] = "1.0"
    second["scores"] = {"fid": 2.5}
    assert compare_results(first, second) == {"fid": (1.5, 2.5)}


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("extractor", "sha256", "b"),
        ("extractor", "resize", "tensorflow1"),
        ("real", "split", "test"),
        ("real", "count", 99),
        ("fake", "count", 51),
        ("fake", "truncation", 1.0),
        ("fake", "weights", "live"),
        ("parameters", "kid.subsets", None),
    ],
)
def test_results_of_two_protocols(part, name, value):
    first = result()
    second = copy.deepcopy(first)
    second["protocol"][part][name] = value
    with pytest.raises(
        ValueError, match=rf"different protocols.*--ignore-protocol[^$]*{part}\.{name}"
    ):
        compare_results(first, second)
    assert compare_results(first, second, force=True)["fid"] == (1.5, 1.5)


def test_files(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(result()))
    assert protocol.read_result(path) == {
        **result(),
        "intervals": {},
        "conclusions": [],
    }
    given = {**result(), "intervals": {"fid": [1, 2.5]}}
    path.write_text(json.dumps(given))
    assert protocol.read_result(path)["intervals"] == {"fid": (1.0, 2.5)}
    wrong = ('"x"', "null", "[1]", "1" + "0" * 400)
    scores = [f'{{"scores": {{"fid": {x}}}, "protocol": {{}}}}' for x in wrong]
    limits = ('"x"', '{"fid": 3}', '{"fid": [1, "x"]}', '{"fid": [1]}', "[3]")
    parts = [f'"intervals": {x}' for x in limits] + ['"conclusions": 3']
    scores += [f'{{"scores": {{}}, "protocol": {{}}, {x}}}' for x in parts]
    for text in ("no", "[1]", "{}", "3", *scores):
        path.write_text(text)
        with pytest.raises(ValueError, match="is not a result of"):
            protocol.read_result(path)
