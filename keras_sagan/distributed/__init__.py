"""Training on several replicas and several workers."""
