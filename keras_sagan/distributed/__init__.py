"""Training on several replicas and on several workers.

`cluster` says who takes part, `rendezvous` brings the workers together before
TensorFlow starts, `workers` keeps them in touch, and `team` holds all of that for one
program. `strategies` decides which rows each replica works on, and `model` adapts
`keras.Model` to several workers.
"""
