"""Directives that write down what the package itself knows."""

import argparse
import json
import os

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from keras_sagan.cli.main import build_parser
from keras_sagan.config import PRESETS
from keras_sagan.metrics.registry import METRICS


class CommandHelp(SphinxDirective):
    """`command-help COMMAND [SUBCOMMAND]`: what its `--help` prints."""

    required_arguments = 1
    optional_arguments = 1

    def run(self):
        """Returns the nodes that stand for the directive."""
        parser = build_parser()
        for name in self.arguments:
            parser = _subparsers(parser)[name]
        text = parser.format_help()
        return [nodes.literal_block(text, text, language="text", classes=["help"])]


class PresetList(SphinxDirective):
    """`preset-list`: a section for each preset, with the source of its values."""

    def run(self):
        """Returns the nodes that stand for the directive."""
        lines = []
        for preset in PRESETS.values():
            lines += [f"## {preset.name}", "", preset.description, "", preset.source]
            values = json.dumps(_values(preset), indent=2)
            lines += ["", "```json", values, "```", ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class MetricList(SphinxDirective):
    """`metric-list`: what every metric says, its scores, needs, paper and use."""

    def run(self):
        """Returns the nodes that stand for the directive."""
        return self.parse_text_to_nodes("\n".join(_metric_lines()))


def _metric_lines():
    for metric in METRICS.values():
        yield f"`{metric.name}`"
        scores = [_scores_line(metric)]
        needs = sorted(need.value for need in metric.needs)
        if needs:
            scores.append(f"Needs {', '.join(needs)}.")
        yield f": **{metric.says}.** {metric.use}"
        yield ""
        yield f"  {' '.join(scores)} {metric.paper}."
        yield ""


def _scores_line(metric):
    """The scores of a metric, each with its unit and which way is better."""
    parts = []
    for score in metric.scores:
        better = f"; {score.better} is better" if score.better else ""
        parts.append(f"`{score.of_others or score.name}` ({score.unit}{better})")
    return f"Gives {', '.join(parts)}."


def _values(preset):
    """The settings of a preset, without what is written above them."""
    sections = preset.to_dict()
    return {name: sections[name] for name in ("model", "optimizer", "training")}


def _subparsers(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    raise ValueError(f"{parser.prog!r} has no subcommands.")


def setup(app):
    """Adds the directives."""
    os.environ["COLUMNS"] = "76"  # argparse wraps at the width of the terminal
    app.add_directive("command-help", CommandHelp)
    app.add_directive("preset-list", PresetList)
    app.add_directive("metric-list", MetricList)
    return {"parallel_read_safe": True}
