"""The only package that uses private parts of Keras and TensorFlow, so that a new release changes code only here."""

from __future__ import annotations

from actwidget.keras_internals.versions import check_releases

check_releases()
