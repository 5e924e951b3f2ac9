"""The one room that uses what Keras and TensorFlow have not made public: when one of them changes, it changes here."""

from __future__ import annotations

from actwidget.keras_internals.versions import check_releases

check_releases()
