"""Tests; a package, because libraries install one of the same name."""
