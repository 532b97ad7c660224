"""The development server: TensorFlow Serving's protocol for one model."""
