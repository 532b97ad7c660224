"""The client, which talks to TensorFlow Serving or to the development server.

`client` has the interface for users. It sends requests over one of two transports, gRPC
or REST; `retries` and `deadlines` decide how often and how long it tries.
"""
