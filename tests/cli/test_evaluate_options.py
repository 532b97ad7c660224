"""The options of `keras-sagan evaluate`."""

import pytest

from keras_sagan.cli.evaluate_options import METRICS
from keras_sagan.cli.main import build_parser, main
from keras_sagan.metrics import evaluation
from keras_sagan.metrics.extractors import naming


def test_defaults():
    options = build_parser().parse_args(["evaluate", "run"])
    assert (options.metrics, options.extractor) == ("fid", "inception")
    assert options.resize in naming.RESIZE_KINDS
    assert (options.split, options.seed, options.truncation) == ("train", 0, None)
    assert (options.kid_subsets, options.kid_subset_size) == (100, 1000)
    settings = evaluation.Settings()
    assert options.nearest_k == settings.nearest_k
    assert options.bootstrap == settings.bootstrap == 0


def test_the_help_names_every_metric(capsys):
    assert METRICS == ",".join(evaluation.METRICS)
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    printed = capsys.readouterr().out
    assert "intra_fid" in printed and "95% intervals" in printed


def test_a_picture_has_to_be_a_png(capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "run", "--sweep-png", "x.jpg"])
    assert "must end in .png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sweep-png", "x.png"], "pass that too"),
        (["--truncation-sweep", "1", "--truncation", "1"], "no --truncation."),
        (["--truncation-sweep", "1", "--against", "x.json"], "no --against."),
        (["--json", "."], "is a directory"),
        (["--reference-stats", "/dev/null/x.npz"], "no folder"),
    ],
)
def test_what_would_be_left_out_or_lost_is_refused_first(capsys, options, message):
    assert main(["evaluate", "run", *options]) == 2
    assert message in capsys.readouterr().err
