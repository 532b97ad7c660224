"""Do generated images show the class they were asked for?

    python benchmarks/label_agreement.py runs/demo/model --dataset glyphs

Trains a small classifier on the real training set (its accuracy on the real test
set is printed first), then prints the share of generated images on which it agrees
with the conditioning label, and the mean within-class standard deviation of the
pixels over that of the real training set, which tells one memorised image a class
from a generator.
"""

import argparse
import time

import numpy as np

import keras_sagan as ks


def main():
    """Run the benchmark."""
    args = _parse()
    train, test = (
        ks.data.load(
            args.dataset, image_size=32, split=split, cache_dir=args.cache_dir
        ).arrays()
        for split in ("train", "test")
    )
    classifier = ks.metrics.train_classifier(*train)
    accuracy = classifier.evaluate(*test, verbose=0)[1]
    print(f"classifier: accuracy {accuracy:.4f} on {len(test[1])} real test images")
    gan = ks.SAGAN.from_preset(args.model)
    labels = np.arange(args.count) % gan.generator.num_classes
    start = time.perf_counter()
    images = gan.generate(labels=labels, seed=args.seed)
    print(f"generated {len(images)} images in {time.perf_counter() - start:.1f} s")
    print(report(classifier, images, labels, train))


def report(classifier, images, labels, train):
    """One line of figures."""
    scores = classifier.predict(images, batch_size=256, verbose=0)
    share, by_class = ks.metrics.classifier_agreement(scores, labels)
    ratio = within_class_deviation(images, labels) / within_class_deviation(*train)
    return (
        f"agreement {share:.4f} on {len(images)} images "
        f"(by class {' '.join(f'{a:.2f}' for a in by_class.values())}); "
        f"within-class pixel deviation {ratio:.3f} of the real one"
    )


def within_class_deviation(images, labels):
    """Standard deviation of each pixel within its class, averaged over both."""
    return np.mean(
        [
            images[labels == c].astype(np.float64).std(0).mean()
            for c in np.unique(labels)
        ]
    )


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="preset directory, e.g. RUN/model")
    parser.add_argument("--dataset", default="glyphs")
    parser.add_argument("--cache-dir", default=None)
    parser.add_argument("--count", type=int, default=5000, metavar="IMAGES")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
