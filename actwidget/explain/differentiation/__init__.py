"""Passes through a model that can be differentiated: targets, what a final softmax was given, gradients."""
