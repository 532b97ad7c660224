"""The development server, which serves a model with TensorFlow Serving's protocols.

`development_server` puts the parts together: `servable` runs the model, `grpc_services`
and `rest_interface` speak the two protocols, and `admission`, `answer_size` and
`content_encoding` keep what a client can ask for within limits.
"""
