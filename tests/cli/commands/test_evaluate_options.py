"""The options of `keras-sagan evaluate`."""

import pytest

from keras_sagan.cli.commands import evaluate, evaluate_options
from keras_sagan.cli.main import build_parser, main
from keras_sagan.metrics import Settings, registry
from keras_sagan.metrics.extractors import naming


def test_defaults():
    options = build_parser().parse_args(["evaluate", "run"])
    assert (options.metrics, options.extractor) == ("fid", "inception")
    assert options.resize is None  # each extractor has its own
    for kind in ("inception", "dinov2", "keras"):
        assert naming.default_resize(kind) in naming.RESIZE_KINDS
    assert (options.split, options.seed, options.truncation) == (None, 0, None)
    assert (options.kid_subsets, options.kid_subset_size) == (100, 1000)
    assert evaluate_options.settings_of(options) == Settings()


def test_the_help_names_every_metric(capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in registry.METRICS)
    assert "95% intervals" in printed


def test_a_picture_has_to_be_a_png(capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "run", "--sweep-png", "x.jpg"])
    assert "must end in .png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sweep-png", "x.png"], "needs --truncation-sweep"),
        (
            ["--truncation-sweep", "1", "--truncation", "1"],
            "with --truncation.",
        ),
        (
            ["--truncation-sweep", "1", "--against", "x.json"],
            "with --against.",
        ),
        (["--json", "."], "is a directory"),
        (["--reference-stats", "/dev/null/x.npz"], "not a folder"),
        (["--metrics", "fdi"], "`metrics` must be some of fid, kid"),
        (["--metrics", "memorization"], "--held-out"),
        (["--held-out", "test"], "an option of the metrics memorization, gap and util"),
        (["--metrics", "utility"], "--held-out"),
        (["--bootstrap", "1"], "`bootstrap` must be an integer of at least 2"),
        (["--extractor", "fid"], "`extractor` must be inception"),
        (["--extractor", "classifier:foo"], "must name a file that ends in .keras"),
        (["--extractor", "keras:gone.keras"], "there is no 'gone.keras'"),
        (["--weights", "gone.pth"], "there is no file 'gone.pth'"),
        (
            ["--extractor", "classifier", "--inception", "x.pth"],
            "an option of the extractor",
        ),
        (["--features", "pool"], "--features is an option of the extractor keras"),
        (["--against", "gone.json"], "gone.json"),
    ],
)
def test_what_cannot_be_or_would_be_left_out_is_refused_first(
    capsys, options, message, monkeypatch
):
    """Before TensorFlow starts, which takes seconds, and before a model is read."""
    monkeypatch.setattr(evaluate, "start_tensorflow", pytest.fail)
    assert main(["evaluate", "run", "--dataset", "glyphs", *options]) == 2
    assert message in capsys.readouterr().err


def test_data_are_needed_unless_files_hold_what_they_are_for(capsys, tmp_path):
    for extractor in ("inception", "classifier"):
        assert main(["evaluate", "run", "--extractor", extractor]) == 2
        assert "real images are needed: pass --dataset" in capsys.readouterr().err
    stats = tmp_path / "stats.npz"
    stats.touch()
    given = ["--extractor", "classifier", "--reference-stats", str(stats)]
    assert main(["evaluate", "run", *given]) == 2
    assert "classifier must be trained on the data" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--num-images", "0"], "--num-images: must be an integer of at least 1. Rec"),
        (["--num-real", "0"], "must be an integer of at least 1"),
        (["--kid-subsets", "-1"], "must be an integer of at least 0"),
        (["--truncation", "0"], "must be a number above 0"),
        (["--truncation-sweep", "1,x"], "must be numbers above 0"),
        (["--resize", "cubic"], "invalid choice"),
    ],
)
def test_values_that_are_none(capsys, options, message):
    """`--num-images 0` meant 10,000."""
    with pytest.raises(SystemExit):
        main(["evaluate", "run", *options])
    assert message in capsys.readouterr().err
