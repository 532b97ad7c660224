"""Scores for generated images, each with the protocol of how it was measured.

The functions on feature arrays use NumPy only; extractors need TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "scores.bootstrap": ["bootstrap_interval"],
        "scores.by_class": [
            "class_table",
            "classifier_agreement",
            "intra_class_distance",
        ],
        "scores.class_probabilities": ["inception_score", "softmax"],
        "audit": ["Audit", "audit"],
        "evaluation": ["Result", "evaluate"],
        "extractors.classifier": ["classifier_extractor", "train_classifier"],
        "extractors.extractor": [
            "Extractor",
            "extract",
            "keras_extractor",
        ],
        "extractors.published": ["dinov2_extractor", "inception_extractor"],
        "extractors.opening": ["open_extractor", "spread_extractor"],
        "scores.frechet": ["frechet_distance"],
        "image_sets": ["ImageSet", "array_images", "gan_images", "exported_images"],
        "scores.frechet_gap": ["frechet_gap"],
        "scores.kernel": ["kernel_distance", "median_bandwidth", "rbf_distance"],
        "scores.memorisation": ["memorization_check"],
        "moments": ["Moments"],
        "scores.sliced": ["monge_distance"],
        "scores.vendi": ["vendi_score"],
        "scores.precision_recall": ["precision_recall_density_coverage"],
        "protocol": ["compare_results"],
        "settings": ["Settings"],
        "truncation": ["truncation_sweep"],
        "utility": ["Utility", "utility_check"],
    },
)
