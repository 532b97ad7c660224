"""The client: talks to TensorFlow Serving or the development server."""
