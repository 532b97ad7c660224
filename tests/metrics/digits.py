"""Sets of the built-in digits: all kinds, or what a collapsed generator draws."""

import numpy as np

from keras_sagan.data.sources import glyphs


def drawn(split, count):
    """The first digits of a split: uint8 images of 32 pixels, and labels."""
    images, labels = zip(
        *(glyphs.render(split, i, 32) for i in range(count)), strict=True
    )
    return np.stack(images), np.array(labels)


def one_mode(pictures, count):
    """The first picture of each class only: (images, labels)."""
    rows = np.arange(count) % len(glyphs.DIGITS)
    return pictures[0][rows], pictures[1][rows]


def of_colours(pictures, colours, count):
    """Those with these indices into `glyphs.COLORS`: (images, labels)."""
    images, labels = pictures
    brightest = images.reshape(len(images), -1, 3).max(axis=1).astype(float)
    known = np.array(glyphs.COLORS)
    seen = np.abs(brightest[:, None] - known).sum(axis=2).argmin(axis=1)
    rows = np.flatnonzero(np.isin(seen, colours))[:count]
    return images[rows], labels[rows]
